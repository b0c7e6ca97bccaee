package interop

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// IPv4 and IPv6 on every leg: frontend, agent port and target.
func TestAddressFamilies(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		for _, target := range []string{"127.0.0.1", "::1"} {
			for _, spec := range []serverSpec{{host: host}, {host: host, http: true}} {
				t.Run(fmt.Sprintf("server on %s, target on %s, http %v", host, target, spec.http), func(t *testing.T) {
					eachPairing(t, func(t *testing.T, pair pairing) {
						s := startServer(t, pair.server, spec)
						startAgent(t, pair.agent, s, agentSpec{})
						mustPing(t, mustDial(t, dialerFor(t, s), listen(t, target, echo).address), "hello")
					})
				})
			}
		}
	}
}

// A target's name has several addresses and only one of them listens.
func TestTargetNameWithSeveralAddresses(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{http: true, unix: true})
		agent := pair.agent
		agent.path = withHosts(t, agent.path, "127.0.0.5 many.example", "127.0.0.6 many.example", "127.0.0.1 many.example",
			"::1 six.example", "127.0.0.1 both.example", "::1 both.example")
		startAgent(t, agent, s, agentSpec{})
		dial := dialerFor(t, s)
		for name, host := range map[string]string{"many.example": "127.0.0.1", "six.example": "::1", "both.example": "::1"} {
			_, port := splitAddress(listen(t, host, echo).address)
			mustPing(t, mustDial(t, dial, fmt.Sprintf("%s:%d", name, port)), name)
		}
		_, port := splitAddress(listen(t, "127.0.0.1", echo).address)
		mustPing(t, mustDial(t, dial, fmt.Sprintf("localhost:%d", port)), "localhost")
	})
}

// The server's name has several addresses and the first ones are dead.
func TestServerNameWithSeveralAddresses(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{http: true, unix: true})
		agent := pair.agent
		agent.path = withHosts(t, agent.path, "127.0.0.7 proxy.example", "127.0.0.1 proxy.example")
		startAgent(t, agent, s, agentSpec{address: "proxy.example:" + portOf(s.agents)})
		mustPing(t, mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address), "named")
	})
}

// One name, two servers: the agent holds both, goes on with one while the other is down, and takes it back.
func TestServersBehindOneName(t *testing.T) {
	t.Parallel()
	eachOurs(t, world.agents, func(t *testing.T, program peer) {
		spec := serverSpec{http: true, unix: true, flags: []string{"--server-count=2"}}
		one := startServer(t, world.servers[0], spec)
		two := startBeside(t, one, "127.0.0.2")
		program.path = withHosts(t, program.path, "127.0.0.1 proxy.example", "127.0.0.2 proxy.example")
		a := startAgent(t, program, one, agentSpec{address: "proxy.example:" + portOf(one.agents)})
		links := agentPrefix + "open_server_connections"
		target := listen(t, "127.0.0.1", echo).address
		wantMetric(t, a.health, 2, links)
		mustPing(t, mustDial(t, dialerFor(t, one), target), "by the first")
		held := mustDial(t, dialerFor(t, two), target)
		mustPing(t, held, "by the second")
		one.kill()
		wantMetric(t, a.health, 1, links)
		mustPing(t, held, "while the first is down")
		spec.on = one
		again := startServer(t, world.servers[0], spec)
		wantMetric(t, a.health, 2, links)
		mustPing(t, mustDial(t, dialerFor(t, again), target), "by the first again")
	})
}

// startBeside starts the same server on another address of the host, with the same port for agents.
func startBeside(t testing.TB, first *server, host string) *server {
	t.Helper()
	spec := first.spec
	spec.host = host
	spec.flags = append([]string{"--server-id=beside"}, spec.flags...)
	spec.on = &server{
		agents: host + ":" + portOf(first.agents), health: hostPort(host, freePort(t)), admin: hostPort(host, freePort(t)),
		frontend: filepath.Join(shortTempDir(t), "front.sock"),
	}
	return startServer(t, first.program, spec)
}

// withHosts gives a launcher of the program that sees these lines as /etc/hosts, in a mount namespace of its own.
func withHosts(t testing.TB, program string, lines ...string) string {
	t.Helper()
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Skip("needs root and unshare(1) for a private /etc/hosts")
	}
	directory := t.TempDir()
	hosts, launcher := filepath.Join(directory, "hosts"), filepath.Join(directory, "launcher")
	text := "127.0.0.1 localhost\n::1 localhost\n" + strings.Join(lines, "\n") + "\n"
	script := fmt.Sprintf("#!/bin/sh\nexec unshare -m sh -c 'mount --bind %s /etc/hosts && exec \"$0\" \"$@\"' %s \"$@\"\n", hosts, program)
	for path, content := range map[string]string{hosts: text, launcher: script} {
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return launcher
}

// The agent reaches the server through the proxy that its environment names, with Basic auth; NO_PROXY exempts.
func TestAgentUsesHTTPSProxy(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		stub := newStubServer(t, "127.0.0.1")
		var used atomic.Int32
		var request atomic.Value
		proxy := listen(t, "127.0.0.1", func(conn net.Conn) {
			used.Add(1)
			head := readRequest(conn)
			request.Store(head)
			carry(conn, stub.address)
		})
		// Loopback is exempt from proxies, so the server goes by a name that only the proxy resolves.
		name := "proxy.example:" + portOf(stub.address)
		variable := "HTTPS_PROXY=http://user:secret@" + proxy.address
		startAgent(t, program, nil, agentSpec{address: name, env: []string{variable}})
		stub.accept(t).stillServes(t, listen(t, "127.0.0.1", echo).address)
		head, _ := request.Load().(string)
		for _, part := range []string{"CONNECT " + name + " HTTP/1.1\r\n", "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"} {
			if !strings.Contains(head, part) {
				t.Errorf("the proxy was asked %q, which lacks %q", head, part)
			}
		}
		before := used.Load()
		startAgent(t, program, nil, agentSpec{id: "exempt", address: stub.address, env: []string{variable}})
		stub.accept(t)
		direct := program
		direct.path = withHosts(t, program.path, "127.0.0.1 proxy.example")
		startAgent(t, direct, nil, agentSpec{id: "direct", address: name, env: []string{variable, "NO_PROXY=.example"}})
		stub.accept(t)
		if got := used.Load(); got != before {
			t.Errorf("%d connections to an exempt server went through the proxy", got-before)
		}
	})
}

// A proxy that refuses is an error like any other: the agent tries again.
func TestAgentOutlivesRefusingProxy(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		stub := newStubServer(t, "127.0.0.1")
		var calls atomic.Int32
		proxy := listen(t, "127.0.0.1", func(conn net.Conn) {
			readRequest(conn)
			if calls.Add(1) < 3 {
				io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
				return
			}
			carry(conn, stub.address)
		})
		startAgent(t, program, nil, agentSpec{address: "proxy.example:" + portOf(stub.address), env: []string{"HTTPS_PROXY=http://" + proxy.address}})
		stub.accept(t).stillServes(t, listen(t, "127.0.0.1", echo).address)
	})
}

func readRequest(conn net.Conn) string {
	var head strings.Builder
	for one := make([]byte, 1); !strings.HasSuffix(head.String(), "\r\n\r\n"); head.Write(one) {
		if _, err := conn.Read(one); err != nil {
			break
		}
	}
	return head.String()
}

func carry(conn net.Conn, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	go io.Copy(server, conn)
	io.Copy(conn, server)
}

// A thousand and more idle tunnels at once, each still alive afterwards.
func TestThousandsOfIdleTunnels(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		count := 1000
		if world.full {
			count = 4000
		}
		var limit syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
		if room := int(limit.Cur) / 8; room < count {
			count = room
		}
		s := startServer(t, pair.server, serverSpec{http: true, unix: true})
		startAgent(t, pair.agent, s, agentSpec{})
		target, dial := listen(t, "127.0.0.1", echo).address, dialerFor(t, s)
		tunnels := make([]net.Conn, count)
		for i := range tunnels {
			tunnels[i] = mustDial(t, dial, target)
		}
		wantMetric(t, s.health, float64(count), serverPrefix+"established_connections")
		for i, tunnel := range tunnels {
			mustPing(t, tunnel, fmt.Sprint("tunnel ", i))
		}
		for _, tunnel := range tunnels {
			tunnel.Close()
		}
		wantMetric(t, s.health, 0, serverPrefix+"http_connections")
		eventually(t, "all closed", patience, metricIs(s.health, 0, serverPrefix+"established_connections"))
	})
}

// Past its descriptor limit an agent refuses with a reason, keeps what it has, and recovers.
func TestAgentAtDescriptorLimit(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		launcher := filepath.Join(t.TempDir(), "launcher")
		script := fmt.Sprintf("#!/bin/sh\nulimit -n 64\nexec %s \"$@\"\n", program.path)
		if err := os.WriteFile(launcher, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		limited := program
		limited.path = launcher
		_, _, stream := withAgent(t, limited, agentSpec{})
		target := listen(t, "127.0.0.1", echo).address
		first := stream.opened(t, 1000, target)
		var refused string
		for random := int64(1); refused == "" && random < 100; random++ {
			stream.say(t, dialReq(random, target))
			refused = stream.hearsType(t, pb.PacketType_DIAL_RSP).GetDialResponse().Error
		}
		if !strings.Contains(refused, "too many open files") {
			t.Fatalf("past the limit the agent says %q", refused)
		}
		stream.say(t, data(first, "kept"))
		stream.hearsData(t, first, 4)
		stream.say(t, closeReq(first))
		stream.hears(t, closeRsp(first, ""))
		eventually(t, "recovery", patience, func() error {
			stream.say(t, dialReq(2000, target))
			if got := stream.hearsType(t, pb.PacketType_DIAL_RSP).GetDialResponse().Error; got != "" {
				return errors.New(got)
			}
			return nil
		})
	})
}

// Agent restart and server restart, with tunnels before and after.
func TestRestarts(t *testing.T) {
	for _, front := range frontends {
		t.Run("client="+front.name, func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				s := startServer(t, pair.server, front.spec)
				a := startAgent(t, pair.agent, s, agentSpec{})
				target, dial := listen(t, "127.0.0.1", echo).address, dialerFor(t, s)
				first := mustDial(t, dial, target)
				mustPing(t, first, "first")
				a.kill()
				mustEnd(t, first)
				b := startAgent(t, pair.agent, s, agentSpec{})
				second := mustDial(t, dial, target)
				mustPing(t, second, "second")
				s.kill()
				mustEnd(t, second)
				eventually(t, "agent notices", patience, wantPage(b.health, "/readyz", 503, "no servers connected"))
				spec := front.spec
				spec.on = s
				again := startServer(t, pair.server, spec)
				eventually(t, "agent returns", 2*patience, wantPage(again.health, "/readyz", 200, "ok"))
				mustPing(t, mustDial(t, dial, target), "third")
			})
		})
	}
}

// A second agent with the same ID leaves the first one's tunnels alone; when the first goes, it takes over.
func TestSecondAgentOfTheSameID(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{http: true, unix: true})
		a := startAgent(t, pair.agent, s, agentSpec{})
		target, dial := listen(t, "127.0.0.1", echo).address, dialerFor(t, s)
		first := mustDial(t, dial, target)
		startAgent(t, pair.agent, s, agentSpec{})
		wantMetric(t, s.health, 1, serverPrefix+"ready_backend_connections")
		mustPing(t, first, "undisturbed")
		a.kill()
		eventually(t, "takeover", patience, func() error { return dialWithin(dial, target, 2*time.Second) })
	})
}
