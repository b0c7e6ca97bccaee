package interop

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

func TestAgentIntroducesItself(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		token := filepath.Join(t.TempDir(), "token")
		os.WriteFile(token, []byte("secret"), 0o600)
		_, _, stream := withAgent(t, program, agentSpec{
			id: "me", identifiers: "host=n1&ipv4=${HOST_IP}", flags: []string{"--service-account-token-path=" + token}})
		if stream.method != "/AgentService/Connect" {
			t.Errorf("called %s", stream.method)
		}
		for key, want := range map[string]string{"agentid": "me", "agentidentifiers": "host=n1&ipv4=${HOST_IP}", "authorization": "Bearer secret"} {
			if got := stream.metadata.Get(key); len(got) != 1 || got[0] != want {
				t.Errorf("metadata %s is %q, want exactly %q", key, got, want)
			}
		}
	})
}

func TestAgentSendsEmptyIdentifiersAndNoToken(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		_, _, stream := withAgent(t, program, agentSpec{})
		if got := stream.metadata.Get("agentidentifiers"); len(got) != 1 || got[0] != "" {
			t.Errorf("agentidentifiers is %q, want one empty value", got)
		}
		if got := stream.metadata.Get("authorization"); len(got) != 0 {
			t.Errorf("authorization is %q, want none", got)
		}
	})
}

func TestAgentNumbersConnectionsFromOne(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		_, _, stream := withAgent(t, program, agentSpec{})
		target := listen(t, "127.0.0.1", echo).address
		if id := stream.opened(t, 11, target); id != 1 {
			t.Errorf("first connection is %d", id)
		}
		stream.say(t, dialReq(12, closedPort(t)))
		stream.hearsType(t, pb.PacketType_DIAL_RSP)
		if id := stream.opened(t, 13, target); id != 3 {
			t.Errorf("connection after a failed dial is %d, want 3: failed dials burn numbers", id)
		}
	})
}

func TestAgentDialErrors(t *testing.T) {
	refused, silent := closedPort(t), blackHole(t)
	for _, c := range []struct{ name, address, want string }{
		{"refused", refused, "dial tcp " + refused + ": connect: connection refused"},
		{"timeout", silent, "dial tcp " + silent + ": i/o timeout"},
		{"no port", "10.0.0.1", "dial tcp: address 10.0.0.1: missing port in address"},
		{"empty", "", "missing address"},
		{"bad port", "127.0.0.1:99999", "invalid port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachAgent(t, func(t *testing.T, program peer) {
				_, a, stream := withAgent(t, program, agentSpec{})
				stream.say(t, dialReq(5, c.address))
				response := stream.hearsType(t, pb.PacketType_DIAL_RSP).GetDialResponse()
				if response.Random != 5 || response.ConnectID != 0 || !strings.Contains(response.Error, c.want) {
					t.Fatalf("dial answered %v, want an error with %q", response, c.want)
				}
				reason := "unknown"
				if c.name == "timeout" {
					reason = "timeout"
				}
				wantMetric(t, a.health, 1, agentPrefix+"endpoint_dial_failure_total", "reason", reason)
				stream.stillServes(t, listen(t, "127.0.0.1", echo).address)
			})
		})
	}
}

func TestAgentAnswersUnknownConnections(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		_, _, stream := withAgent(t, program, agentSpec{})
		stream.say(t, data(7, "a"), data(7, "b"), data(0, "nobody's"), closeReq(8), closeReq(0))
		stream.hears(t, closeRsp(7, "unrecognized connectID"), closeRsp(7, "unrecognized connectID"),
			closeRsp(8, "Unknown connectID"), closeRsp(0, "Unknown connectID"))
		stream.stillServes(t, listen(t, "127.0.0.1", echo).address)
	})
}

func TestAgentSendsAllBeforeClose(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		const size = 300_000
		_, _, stream := withAgent(t, program, agentSpec{})
		brief := listen(t, "127.0.0.1", greeter(strings.Repeat("x", size)))
		id := stream.opened(t, 21, brief.address)
		stream.hearsData(t, id, size)
		brief.stop()
		stream.hears(t, closeRsp(id, ""))
	})
}

func TestAgentClosesEndpointOnRequest(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		_, a, stream := withAgent(t, program, agentSpec{})
		gone := make(chan struct{})
		target := listen(t, "127.0.0.1", func(conn net.Conn) { sink(conn); close(gone) })
		id := stream.opened(t, 21, target.address)
		wantMetric(t, a.health, 1, agentPrefix+"open_endpoint_connections")
		stream.say(t, closeReq(id), closeReq(id))
		stream.hears(t, closeRsp(id, ""), closeRsp(id, "Unknown connectID"))
		if err := within(patience, "endpoint sees the close", func() error { <-gone; return nil }); err != nil {
			t.Fatal(err)
		}
		wantMetric(t, a.health, 0, agentPrefix+"open_endpoint_connections")
	})
}

func TestAgentClosesEverythingWhenTheServerIsLost(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		server, a, stream := withAgent(t, program, agentSpec{})
		gone := make(chan struct{})
		target := listen(t, "127.0.0.1", func(conn net.Conn) { sink(conn); close(gone) })
		stream.opened(t, 21, target.address)
		stream.finish()
		if err := within(patience, "endpoint sees the close", func() error { <-gone; return nil }); err != nil {
			t.Fatal(err)
		}
		again := server.accept(t)
		eventually(t, "ready again", patience, wantPage(a.health, "/readyz", 200, "ok"))
		again.stillServes(t, listen(t, "127.0.0.1", echo).address)
	})
}

// servercount 2 makes the agent look for a second server; connections to a known one are closed as duplicates.
func TestAgentLooksForEveryServer(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		server := newStubServer(t, "127.0.0.1")
		number := 0
		server.greet = func(stream grpc.ServerStream) error {
			ids := []string{"one", "one", "two"}
			id := ids[min(number, 2)]
			number++
			return stream.SendHeader(metadata.Pairs("serverid", id, "servercount", "2"))
		}
		a := startAgent(t, program, nil, agentSpec{address: server.address})
		one, duplicate, two := server.accept(t), server.accept(t), server.accept(t)
		<-duplicate.ended
		wantMetric(t, a.health, 2, agentPrefix+"open_server_connections")
		wantMetric(t, a.health, 2, agentPrefix+"known_server_count")
		target := listen(t, "127.0.0.1", echo).address
		one.stillServes(t, target)
		two.stillServes(t, target)
	})
}

// The reference of this version looks for the drain request only after a packet: one is sent to wake it.
func TestAgentDrainsOnFirstSignalAndExitsOnSecond(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		server, a, stream := withAgent(t, program, agentSpec{})
		target := listen(t, "127.0.0.1", echo).address
		id := stream.opened(t, 1, target)
		a.signal(t, syscall.SIGTERM)
		if program.reference() {
			eventually(t, "drain seen", patience, func() error {
				stream.say(t, data(id, "."))
				if packet, err := stream.next(50 * time.Millisecond); err != nil || packet.Type != pb.PacketType_DRAIN {
					return fmt.Errorf("%v %v", packet, err)
				}
				return nil
			})
			a.leave(t, program)
			return
		}
		stream.hears(t, drain())
		stream.stillServes(t, target)
		stream.say(t, data(id, "on"))
		stream.hearsData(t, id, 2)
		stream.hearsNothing(t)
		if err := wantPage(a.health, "/readyz", 200, "ok")(); err != nil {
			t.Error(err)
		}
		if len(server.streams) > 0 {
			t.Error("a draining agent opened another connection")
		}
		a.leave(t, program)
	})
}

func (a *agent) leave(t testing.TB, program peer) {
	t.Helper()
	a.mayDie()
	a.signal(t, syscall.SIGTERM)
	if code := a.exitCode(t, patience); code != 0 {
		t.Errorf("exit code after the second signal is %d, want 0", code)
	}
}

func TestAgentBacksOffAndReturns(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		server, a, _ := withAgent(t, program, agentSpec{})
		server.grpc.Stop()
		eventually(t, "not ready", patience, wantPage(a.health, "/readyz", 503, "[-]server-connected failed: no servers connected"))
		eventually(t, "still healthy", patience, wantPage(a.health, "/healthz", 200, "ok"))
		again := stubServerOn(t, server.address)
		again.accept(t).stillServes(t, listen(t, "127.0.0.1", echo).address)
	})
}
