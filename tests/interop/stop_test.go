package interop

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Without a grace period the server goes at once, its socket file with it.
func TestServerStopsOnSignal(t *testing.T) {
	for signal, fronts := range map[syscall.Signal]int{syscall.SIGTERM: 0, syscall.SIGINT: 3} {
		t.Run(signal.String(), func(t *testing.T) {
			for _, front := range frontends[fronts:] {
				t.Run("client="+front.name, func(t *testing.T) {
					eachPairing(t, func(t *testing.T, pair pairing) {
						s := startServer(t, pair.server, front.spec)
						startAgent(t, pair.agent, s, agentSpec{})
						conn := mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address)
						mustPing(t, conn, "x")
						s.mayDie()
						s.signal(t, signal)
						if front.spec.http {
							if err := s.stopped(conn); err != nil {
								t.Fatal(err)
							}
							return
						}
						// v0.36 waits for the streams of the gRPC frontend before it lets the agents go.
						referenceBug(t, pair.server, func() error { return s.stopped(conn) })
					})
				})
			}
		})
	}
}

// stopped wants the tunnel ended, exit code 0 and nobody listening.
func (s *server) stopped(conn net.Conn) error {
	if err := ended(conn); err != nil {
		return err
	}
	select {
	case <-s.exited:
	case <-time.After(patience):
		return errors.New("still running")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code is %d, want 0", code)
	}
	if wantListening(s.network(), s.frontend)() == nil {
		return errors.New("the frontend still accepts")
	}
	return nil
}

// A second signal ends a graceful stop at once, with code 1.
func TestServerStopsAtOnceOnSecondSignal(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{unix: true, flags: []string{"--graceful-shutdown-timeout=60s"}})
		agent := rawAgent(t, s, "agent")
		client := rawClient(t, s)
		(&stage{s, agent, client}).established(t, client, 1, 1)
		s.mayDie()
		s.signal(t, syscall.SIGTERM)
		eventually(t, "stop begun", patience, func() error {
			if wantListening("tcp", s.agents)() == nil && wantPage(s.health, "/readyz", 200, "ok")() == nil {
				return fmt.Errorf("still open")
			}
			return nil
		})
		s.signal(t, syscall.SIGTERM)
		if code := s.exitCode(t, 5*time.Second); code != 1 {
			t.Errorf("exit code is %d, want 1", code)
		}
	})
}

func TestServerSocketPermissions(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{unix: true})
		var stat syscall.Stat_t
		if err := syscall.Stat(s.frontend, &stat); err != nil || stat.Mode&0o777 != 0o770 {
			t.Errorf("socket mode is %o (%v), want 770", stat.Mode&0o777, err)
		}
	})
}

// Go's clients name a stream of their own in their goodbye, where one of ours belongs: an end all the same, and nothing to
// alarm anybody with.
func TestGoodbyeOfGoClientsIsAnOrdinaryEnd(t *testing.T) {
	t.Parallel()
	s := startServer(t, ourServer(t), serverSpec{flags: []string{"-v=5"}})
	startAgent(t, world.agents[0], s, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	const clients = 100
	for range clients {
		conn := mustDial(t, dial, target)
		mustPing(t, conn, "x")
		conn.Close()
	}
	eventually(t, "end of all connections", patience, func() error {
		if ended := strings.Count(s.output(), "of=client from=\"CN="); ended < clients {
			return fmt.Errorf("%d of %d have ended", ended, clients)
		}
		return nil
	})
	for _, alarm := range []string{"last_stream_id", "connection failed", "broke the protocol"} {
		if strings.Contains(s.output(), alarm) {
			t.Errorf("the server says %q: %s", alarm, tail(s.output(), 2000))
		}
	}
}
