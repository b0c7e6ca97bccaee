package interop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers questions for IPv4 addresses as the test likes.
type nameServer struct {
	address string // of the machine; the port is 53

	mu      sync.Mutex
	answers map[string]answer
}

type answer struct {
	address [4]byte
	none    bool // there is no such name
	after   time.Duration
}

// resolving gives a program that asks this name server. Needs root, for the port and for a private resolv.conf.
func resolving(t testing.TB, program peer) (peer, *nameServer) {
	t.Helper()
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Skip("needs root and unshare(1) for a name server of its own")
	}
	names := &nameServer{address: fmt.Sprintf("127.1.%d.53", freePort(t)%250), answers: map[string]answer{}}
	socket, err := net.ListenPacket("udp", names.address+":53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	go names.serve(socket)
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver "+names.address+"\noptions timeout:5 attempts:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "launcher")
	script := fmt.Sprintf("#!/bin/sh\nexec unshare -m sh -c 'mount --bind %s \"$(readlink -f /etc/resolv.conf)\" && exec \"$0\" \"$@\"' %s \"$@\"\n", conf, program.path)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	program.path = path
	return program, names
}

func (n *nameServer) say(name string, says answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[name+"."] = says
}

func (n *nameServer) serve(socket net.PacketConn) {
	packet := make([]byte, 512)
	for {
		size, from, err := socket.ReadFrom(packet)
		if err != nil {
			return
		}
		var message dnsmessage.Message
		if message.Unpack(packet[:size]) != nil || len(message.Questions) != 1 {
			continue
		}
		go n.reply(socket, from, message)
	}
}

func (n *nameServer) reply(socket net.PacketConn, to net.Addr, message dnsmessage.Message) {
	asked := message.Questions[0]
	n.mu.Lock()
	says, known := n.answers[asked.Name.String()]
	n.mu.Unlock()
	time.Sleep(says.after)
	message.Header.Response = true
	message.Additionals = nil
	switch {
	case !known || says.none:
		message.Header.RCode = dnsmessage.RCodeNameError
	case asked.Type == dnsmessage.TypeA:
		head := dnsmessage.ResourceHeader{Name: asked.Name, Type: asked.Type, Class: asked.Class, TTL: 0}
		message.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: says.address}}}
	}
	if packet, err := message.Pack(); err == nil {
		socket.WriteTo(packet, to)
	}
}
