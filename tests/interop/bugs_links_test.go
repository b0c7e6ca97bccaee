package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// A stream whose agent is dead but undetected must not stay preferred over the living one of the same agent.
func TestReferenceBugDeadStreamPreferred(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{http: true, unix: true})
		frozen := startAgent(t, pair.agent, s, agentSpec{})
		target := listen(t, "127.0.0.1", echo).address
		dial := dialerFor(t, s)
		mustPing(t, mustDial(t, dial, target), "alive")
		frozen.signal(t, syscall.SIGSTOP)
		startAgent(t, pair.agent, s, agentSpec{})
		referenceBug(t, pair.server, func() error {
			return poll(patience, func() error { return dialWithin(dial, target, bugWindow) })
		})
	})
}

// dialWithin proves that a new tunnel to an echo works within the limit.
func dialWithin(dial dialer, target string, limit time.Duration) error {
	return within(limit, "new tunnel", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		conn, err := dial(ctx, target)
		if err != nil {
			return err
		}
		defer conn.Close()
		return ping(conn, "new")
	})
}

// A server that accepts a Connect and never answers must not freeze the agent for ever.
func TestReferenceBugSilentServerFreezesAgent(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		server := newStubServer(t, "127.0.0.1")
		usual, calls := server.greet, atomic.Int32{}
		server.greet = func(stream grpc.ServerStream) error {
			if calls.Add(1) == 1 {
				<-stream.Context().Done()
				return stream.Context().Err()
			}
			return usual(stream)
		}
		startAgent(t, program, nil, agentSpec{address: server.address, noWait: true})
		referenceBug(t, program, func() error {
			return within(40*time.Second, "second attempt", func() error { <-server.streams; return nil })
		})
	})
}

// A listener that accepts and says nothing, not even TLS, is as silent.
func TestAgentLeavesASilentListener(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		var calls atomic.Int32
		again := make(chan struct{}, 100)
		silent := listen(t, "127.0.0.1", func(conn net.Conn) {
			if calls.Add(1) > 1 {
				again <- struct{}{}
			}
			sink(conn)
		})
		startAgent(t, program, nil, agentSpec{address: silent.address, noWait: true})
		if err := within(60*time.Second, "second attempt", func() error { <-again; return nil }); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever a lost connection still has to do must not touch its successor to the same server. In the reference, the
// reader of a lost connection may hang in a stalled endpoint, and when that lets go, it removes "its" server by name.
func TestReferenceBugOldConnectionClosesSuccessor(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		server, _, stream := withAgent(t, program, agentSpec{})
		stuck := stalled(t)
		id := stream.opened(t, 1, stuck.address)
		floodUntilStuck(stream, id)
		server.cut()
		successor := server.accept(t)
		successor.stillServes(t, listen(t, "127.0.0.1", echo).address)
		stuck.stop()
		referenceBug(t, program, func() error {
			select {
			case <-successor.ended:
				return fmt.Errorf("the successor was closed: %w", successor.reason)
			case <-time.After(bugWindow):
				return nil
			}
		})
	})
}

// floodUntilStuck sends to the connection until the stream takes no more or 25 MiB are gone.
func floodUntilStuck(stream *accepted, id int64) {
	var sent atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 400 {
			if stream.SendMsg(encode(data(id, strings.Repeat("s", 64<<10)))) != nil {
				return
			}
			sent.Add(1)
		}
	}()
	for last := int32(-1); last != sent.Load(); {
		last = sent.Load()
		select {
		case <-done:
			return
		case <-time.After(silence):
		}
	}
}

// With a grace period, open tunnels go on after SIGTERM, whatever the make of the agent.
func TestReferenceBugGracefulStopKillsTunnels(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{http: true, unix: true, flags: []string{"--graceful-shutdown-timeout=10s"}})
		startAgent(t, pair.agent, s, agentSpec{})
		conn := mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address)
		mustPing(t, conn, "before")
		s.mayDie()
		s.signal(t, syscall.SIGTERM)
		referenceBug(t, pair.server, func() error {
			for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
				if err := ping(conn, "during"); err != nil {
					return err
				}
			}
			if wantPage(s.health, "/readyz", 200, "ok")() == nil {
				return fmt.Errorf("still ready while stopping")
			}
			conn.Close()
			if code := s.exitCode(t, 15*time.Second); code != 0 {
				return fmt.Errorf("exit code %d", code)
			}
			return nil
		})
	})
}

// An abandoned dial is to be abandoned by the agent, too.
func TestReferenceBugIgnoredDialClose(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		_, _, stream := withAgent(t, program, agentSpec{})
		hole := blackHole(t)
		stream.say(t, dialReq(7, hole))
		eventually(t, "the agent is dialing", patience, func() error {
			if !connecting(hole) {
				return fmt.Errorf("no SYN sent to %s", hole)
			}
			return nil
		})
		stream.say(t, dialCls(7))
		referenceBug(t, program, func() error {
			err := poll(bugWindow, func() error {
				if connecting(hole) {
					return fmt.Errorf("still dialing %s", hole)
				}
				return nil
			})
			if err != nil {
				return err
			}
			if packet, err := stream.next(silence); err == nil && packet.Type != pb.PacketType_DIAL_RSP {
				return fmt.Errorf("answered %s", show(packet))
			}
			return nil
		})
	})
}

// connecting tells whether this machine has a socket in SYN_SENT towards the IPv4 address.
func connecting(address string) bool {
	table, _ := os.ReadFile("/proc/net/tcp")
	_, port := splitAddress(address)
	return strings.Contains(string(table), fmt.Sprintf("0100007F:%04X 02 ", port))
}
