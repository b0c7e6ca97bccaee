package interop

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

var nextPort struct {
	sync.Mutex
	value int
}

// The reference refuses ports above 49151, and the kernel hands out ephemeral ones from 32768: between
// 12000 and 32000 nobody takes a port while its program has yet to bind it.
const lowestPort, highestPort = 12000, 32000

// freePort gives a TCP port that nobody listens on and that this run has not given out lately.
func freePort(t testing.TB) int {
	t.Helper()
	nextPort.Lock()
	defer nextPort.Unlock()
	if nextPort.value == 0 {
		nextPort.value = lowestPort + os.Getpid()*97%(highestPort-lowestPort)
	}
	for range highestPort - lowestPort {
		nextPort.value++
		if nextPort.value >= highestPort {
			nextPort.value = lowestPort
		}
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", nextPort.value))
		if err == nil {
			listener.Close()
			return nextPort.value
		}
	}
	t.Fatal("no free port on this machine")
	return 0
}

// mustListen takes a port of freePort. A program that is being started holds all our sockets for the moment between
// fork and exec, that by which freePort tried the port too.
func mustListen(t testing.TB, address string) net.Listener {
	t.Helper()
	var listener net.Listener
	eventually(t, "listening", patience, func() (err error) {
		listener, err = net.Listen("tcp", address)
		return err
	})
	return listener
}

func splitAddress(address string) (host string, port int) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil {
		panic(fmt.Sprintf("address %q: %v", address, err))
	}
	return host, port
}
