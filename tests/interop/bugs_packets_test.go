package interop

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// How long a bug may take to show itself before we believe that it is not there.
const bugWindow = 2 * time.Second

// gets is hears for checks that must be able to fail without ending the test.
func (s *rawStream) gets(want *pb.Packet) error {
	got, err := s.next(bugWindow)
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", show(want), err)
	}
	if !proto.Equal(got, want) {
		return fmt.Errorf("received %s, want %s", show(got), show(want))
	}
	return nil
}

// Connection ids restart at 1 on every agent stream: a rolling restart that keeps the agent ID has two streams with a
// connection 1, and neither may receive the other's bytes.
func TestReferenceBugCrossTalk(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{flags: []string{"--proxy-strategies=destHost"}})
		identity := []string{"agentidentifiers", "host=10.0.0.1"}
		first := &stage{s, rawAgent(t, s, "agent", identity...), rawClient(t, s)}
		first.established(t, first.client, 1, 1)
		first.agent.say(t, drain())
		second := &stage{s, rawAgentUnheard(t, s, "agentid", "agent", identity[0], identity[1]), rawClient(t, s)}
		wantMetric(t, s.health, 2, serverPrefix+"grpc_connections", "service_method", "Connect")
		first.agent.hearsNothing(t)
		second.established(t, second.client, 2, 1)
		referenceBug(t, program, func() error {
			first.agent.say(t, data(1, "for the first"))
			if err := first.client.gets(data(1, "for the first")); err != nil {
				return err
			}
			second.agent.say(t, data(1, "for the second"))
			return second.client.gets(data(1, "for the second"))
		})
	})
}

// An endpoint that speaks first must not get its bytes in front of the status line.
func TestReferenceBugPayloadBeforeStatusLine(t *testing.T) {
	for _, front := range frontends[2:] {
		t.Run("client="+front.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := startServer(t, program, front.spec)
				agent := rawAgent(t, s, "agent")
				referenceBug(t, program, func() error {
					for id := range int64(300) {
						conn := ask(t, s, connectTarget)
						agent.say(t, dialRsp(agent.hearsDialPast(t), id+1, ""), data(id+1, "220 ready"))
						tunnel, err := readEstablished(conn)
						if err != nil {
							return err
						}
						greeting := make([]byte, 9)
						if _, err := io.ReadFull(tunnel, greeting); err != nil || string(greeting) != "220 ready" {
							return fmt.Errorf("greeting of dial %d is %q: %v", id, greeting, err)
						}
						conn.Close()
					}
					return nil
				})
			})
		})
	}
}

// hearsDialPast skips the closes of earlier tunnels.
func (c *caller) hearsDialPast(t testing.TB) int64 {
	t.Helper()
	for {
		packet, err := c.next(patience)
		if err != nil {
			t.Fatal(err)
		}
		if packet.Type == pb.PacketType_DIAL_REQ {
			return packet.GetDialRequest().Random
		}
	}
}

// KAS refuses an answer with anything behind the 200 head in the same read: over TLS, the same record.
func TestConnectAnswerStandsAlone(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{http: true})
		agent := rawAgent(t, s, "agent")
		referenceBug(t, program, func() error {
			for id := range int64(100) {
				conn := ask(t, s, connectTarget)
				agent.say(t, dialRsp(agent.hearsDialPast(t), id+1, ""), data(id+1, "220 ready"))
				first := make([]byte, 4096)
				if n, err := conn.Read(first); string(first[:n]) != established {
					return fmt.Errorf("first record of dial %d is %q: %v", id, first[:n], err)
				}
				conn.Close()
			}
			return nil
		})
	})
}

// The Go client registers a connection a moment after it has read the DIAL_RSP, and drops DATA that comes in
// between. A server can hide this by giving it that moment.
func TestReferenceBugLostGreeting(t *testing.T) {
	for _, front := range frontends[:2] {
		t.Run("client="+front.name, func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				s := startServer(t, pair.server, front.spec)
				startAgent(t, pair.agent, s, agentSpec{})
				target := listen(t, "127.0.0.1", greeter("220 ready")).address
				dial := dialerFor(t, s)
				referenceBug(t, pair.server, func() error {
					for attempt := range 200 {
						conn := mustDial(t, dial, target)
						err := within(bugWindow, fmt.Sprintf("greeting of dial %d", attempt), func() error {
							_, err := io.ReadFull(conn, make([]byte, 9))
							return err
						})
						if err != nil {
							return err
						}
						go conn.Close()
					}
					return nil
				})
			})
		})
	}
}

// A packet whose type promises a payload that is not there kills a Go peer.
func TestReferenceBugMissingPayload(t *testing.T) {
	for _, kind := range []pb.PacketType{pb.PacketType_DIAL_REQ, pb.PacketType_CLOSE_REQ, pb.PacketType_DIAL_CLS, pb.PacketType_DATA} {
		t.Run("client to server/"+kind.String(), func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := newStage(t, program)
				referenceBug(t, program, func() error { return s.survives(program, s.client.utters(bare(kind))) })
			})
		})
	}
	for _, kind := range []pb.PacketType{pb.PacketType_DIAL_RSP, pb.PacketType_CLOSE_RSP, pb.PacketType_DIAL_CLS, pb.PacketType_DATA} {
		t.Run("agent to server/"+kind.String(), func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := newStage(t, program)
				referenceBug(t, program, func() error { return s.survives(program, s.agent.utters(bare(kind))) })
			})
		})
	}
	for _, kind := range []pb.PacketType{pb.PacketType_DIAL_REQ, pb.PacketType_CLOSE_REQ, pb.PacketType_DATA} {
		t.Run("server to agent/"+kind.String(), func(t *testing.T) {
			eachAgent(t, func(t *testing.T, program peer) {
				_, a, stream := withAgent(t, program, agentSpec{})
				referenceBug(t, program, func() error { return a.survives(program, stream.SendMsg(encode(bare(kind)))) })
			})
		})
	}
}

// utters sends the packet and half-closes: a dying Go server first drains the stream to its end.
func (c *caller) utters(packet *pb.Packet) error {
	return errors.Join(c.SendMsg(encode(packet)), c.client.CloseSend())
}

func (p *process) survives(program peer, sent error) error {
	if program.reference() {
		p.mayDie()
	}
	select {
	case <-p.exited:
		return errors.New("the process died of it")
	case <-time.After(bugWindow / 2):
		return sent
	}
}

// Two clients may choose the same dial id.
func TestReferenceBugEqualDialIDs(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		other := rawClient(t, s.server)
		one := s.pending(t, s.client, 42, "10.0.0.1:80")
		two := s.pending(t, other, 42, "10.0.0.2:80")
		referenceBug(t, program, func() error {
			s.agent.say(t, dialRsp(one, 1, ""), dialRsp(two, 2, ""))
			return errors.Join(s.client.gets(dialRsp(42, 1, "")), other.gets(dialRsp(42, 2, "")))
		})
	})
}

// A dial may be answered by the agent that was asked, not by another that guesses or repeats its id.
func TestReferenceBugForeignAnswer(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		onAgent := s.pending(t, s.client, 42, "10.0.0.1:80")
		stranger := rawAgent(t, s.server, "stranger")
		referenceBug(t, program, func() error {
			for _, guess := range []int64{42, onAgent} {
				stranger.say(t, dialRsp(guess, 66, ""))
				stranger.say(t, dialCls(guess))
			}
			if err := stranger.gets(closeReq(66)); err != nil {
				return err
			}
			s.agent.say(t, dialRsp(onAgent, 1, ""))
			return s.client.gets(dialRsp(42, 1, ""))
		})
	})
}

func TestReferenceBugPendingDialOfALostAgent(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.pending(t, s.client, 42, "10.0.0.1:80")
		referenceBug(t, program, func() error {
			s.agent.vanish()
			answer, err := s.client.next(bugWindow)
			if err != nil {
				return err
			}
			response := answer.GetDialResponse()
			if response == nil || response.Random != 42 || response.Error == "" || response.ConnectID != 0 {
				return fmt.Errorf("received %s, want a DIAL_RSP with an error", show(answer))
			}
			return poll(bugWindow, metricIs(s.health, 0, serverPrefix+"pending_backend_dials"))
		})
	})
}

func TestReferenceBugVanishedClientWhileDialing(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{http: true, unix: true})
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		agent.hearsDial(t, "10.0.0.1:80")
		wantMetric(t, s.health, 1, serverPrefix+"http_connections")
		referenceBug(t, program, func() error {
			conn.Close()
			return errors.Join(poll(bugWindow, metricIs(s.health, 0, serverPrefix+"http_connections")),
				poll(bugWindow, metricIs(s.health, 0, serverPrefix+"pending_backend_dials")))
		})
	})
}
