package interop

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// endpoint is what an agent dials: a listener whose every connection is handled by one function.
type endpoint struct {
	listener net.Listener
	address  string

	mu    sync.Mutex
	conns []net.Conn
}

// listen serves on the host ("127.0.0.1" or "::1") until the test ends.
func listen(t testing.TB, host string, serve func(net.Conn)) *endpoint {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{listener: listener, address: listener.Addr().String()}
	go e.accept(serve)
	t.Cleanup(e.stop)
	return e
}

func (e *endpoint) accept(serve func(net.Conn)) {
	for {
		conn, err := e.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, for a moment
			time.Sleep(10 * time.Millisecond)
			continue
		}
		e.mu.Lock()
		e.conns = append(e.conns, conn)
		e.mu.Unlock()
		go func() {
			defer conn.Close()
			serve(conn)
		}()
	}
}

func (e *endpoint) stop() {
	e.listener.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, conn := range e.conns {
		conn.Close()
	}
}

// echo sends everything back, without the two descriptors that splice(2) would take.
func echo(conn net.Conn) { io.Copy(struct{ io.Writer }{conn}, conn) }

// sink swallows everything.
func sink(conn net.Conn) { io.Copy(io.Discard, conn) }

// source waits for one byte (a server that speaks first is another matter) and then sends without end.
func source(conn net.Conn) {
	io.ReadFull(conn, make([]byte, 1))
	block := make([]byte, 64<<10)
	for {
		if _, err := conn.Write(block); err != nil {
			return
		}
	}
}

// greeter speaks first, then echoes.
func greeter(text string) func(net.Conn) {
	return func(conn net.Conn) {
		io.WriteString(conn, text)
		echo(conn)
	}
}

// resetter waits for one byte and answers with a reset.
func resetter(conn net.Conn) {
	io.ReadFull(conn, make([]byte, 1))
	conn.(*net.TCPConn).SetLinger(0)
}

// stalled gives an endpoint that accepts and never reads, with a small receive buffer.
func stalled(t testing.TB) *endpoint {
	t.Helper()
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	return listen(t, "127.0.0.1", func(conn net.Conn) {
		conn.(*net.TCPConn).SetReadBuffer(4096)
		<-done
	})
}

// closedPort gives an address that refuses connections.
func closedPort(t testing.TB) string {
	t.Helper()
	return hostPort("127.0.0.1", freePort(t))
}

// blackHole gives a loopback address that never answers a SYN: its accept queue is full.
func blackHole(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	port := freePort(t)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	address := hostPort("127.0.0.1", port)
	filler, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { filler.Close() })
	return address
}
