package interop

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// stage is a server between an agent and a client that are both stubs.
type stage struct {
	*server
	agent  *caller
	client *caller
}

func newStage(t *testing.T, program peer, flags ...string) *stage {
	t.Helper()
	s := startServer(t, program, serverSpec{flags: flags})
	return &stage{s, rawAgent(t, s, "agent"), rawClient(t, s)}
}

// pending sends a dial and gives the id under which the agent knows it.
func (s *stage) pending(t testing.TB, client *caller, random int64, address string) int64 {
	t.Helper()
	client.say(t, dialReq(random, address))
	return s.agent.hearsDial(t, address)
}

// hearsDial wants a DIAL_REQ; a server may use an id of its own on the agent leg.
func (c *caller) hearsDial(t testing.TB, address string) int64 {
	t.Helper()
	request := c.hearsType(t, pb.PacketType_DIAL_REQ).GetDialRequest()
	if request.Address != address || request.Protocol != "tcp" {
		t.Fatalf("dial arrived as %v, want tcp to %s", request, address)
	}
	return request.Random
}

// established carries a dial through to connection id.
func (s *stage) established(t testing.TB, client *caller, random, id int64) {
	t.Helper()
	s.agent.say(t, dialRsp(s.pending(t, client, random, "10.0.0.1:80"), id, ""))
	client.hears(t, dialRsp(random, id, ""))
}

// proves that the server still serves: a fresh client gets a tunnel and bytes pass.
func (s *stage) stillServes(t testing.TB) {
	t.Helper()
	client := rawClient(t, s.server)
	s.agent.say(t, dialRsp(s.pending(t, client, 990, "10.9.9.9:99"), 990, ""))
	client.hears(t, dialRsp(990, 990, ""))
	client.say(t, data(990, "alive"))
	s.agent.hearsData(t, 990, 5)
	s.agent.say(t, data(990, "alive too"))
	client.hearsData(t, 990, 9)
}

func TestServerCarriesOneConnection(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 111, 1)
		s.client.say(t, data(1, "up"))
		s.agent.hears(t, data(1, "up"))
		s.agent.say(t, data(1, "down"))
		s.client.hears(t, data(1, "down"))
		s.client.say(t, closeReq(1))
		s.agent.hears(t, closeReq(1))
		s.agent.say(t, closeRsp(1, ""))
		s.client.hears(t, closeRsp(1, ""))
	})
}

func TestServerPassesExtremeIDs(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		const random, id = 1<<63 - 1, 1<<62 + 5
		s.established(t, s.client, random, id)
		s.client.say(t, data(id, "x"))
		s.agent.hears(t, data(id, "x"))
	})
}

func TestServerKeepsUnknownFields(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 5, 1)
		packet := data(1, "extended")
		extra := protowire.AppendString(protowire.AppendTag(nil, 100, protowire.BytesType), "from the future")
		packet.ProtoReflect().SetUnknown(extra)
		s.client.say(t, packet)
		s.agent.hears(t, packet)
		s.agent.say(t, packet)
		s.client.hears(t, packet)
	})
}

func TestServerWithoutAgent(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{})
		client := rawClient(t, s)
		client.say(t, dialReq(7, "10.0.0.1:80"))
		client.hears(t, dialRsp(7, 0, "No agent available"))
		wantDialFailures(t, s, "no_agent", 1)
		client.say(t, dialReq(8, "10.0.0.1:80"), data(1, "x"), closeReq(1))
		client.hearsNothing(t)
	})
}

func TestServerPassesDialError(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		const reason = "dial tcp 10.0.0.1:80: connect: no route to host"
		s.agent.say(t, dialRsp(s.pending(t, s.client, 9, "10.0.0.1:80"), 0, reason))
		s.client.hears(t, dialRsp(9, 0, reason))
		wantDialFailures(t, s.server, "error_response", 1)
		s.stillServes(t)
	})
}

func TestServerOnUnknownDialResponse(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.agent.say(t, dialRsp(123456, 0, ""), dialRsp(123456, 77, ""))
		s.agent.hears(t, closeReq(77))
		wantDialFailures(t, s.server, "unrecognized_response", 2)
		s.agent.say(t, closeRsp(77, ""))
		s.stillServes(t)
	})
}

func TestServerPassesDialCloseOfAgent(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.agent.say(t, dialCls(s.pending(t, s.client, 31, "10.0.0.1:80")))
		s.client.hears(t, dialCls(31))
		wantDialFailures(t, s.server, "backend_close", 1)
		wantMetric(t, s.health, 0, serverPrefix+"pending_backend_dials")
		s.agent.say(t, dialCls(4711))
		s.stillServes(t)
	})
}

func TestServerOnDialCloseOfClient(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		onAgent := s.pending(t, s.client, 41, "10.0.0.1:80")
		s.client.say(t, dialCls(41))
		wantDialFailures(t, s.server, "frontend_close", 1)
		wantMetric(t, s.health, 0, serverPrefix+"pending_backend_dials")
		s.agent.say(t, dialRsp(onAgent, 3, ""))
		s.agent.hearsPast(t, pb.PacketType_DIAL_CLS, closeReq(3))
		s.client.hearsNothing(t)
		s.client.say(t, dialCls(4711))
		s.stillServes(t)
	})
}

// hearsPast wants the packet, tolerating packets of one kind before it.
func (c *caller) hearsPast(t testing.TB, tolerated pb.PacketType, want *pb.Packet) {
	t.Helper()
	for {
		got, err := c.next(patience)
		if err != nil {
			t.Fatalf("waiting for %s: %v", show(want), err)
		}
		if proto.Equal(got, want) {
			return
		}
		if got.Type != tolerated {
			t.Fatalf("received %s, want %s", show(got), show(want))
		}
	}
}

func TestServerWhenClientVanishesWhilePending(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		onAgent := s.pending(t, s.client, 51, "10.0.0.1:80")
		s.client.vanish()
		s.agent.hears(t, dialCls(onAgent))
		s.agent.say(t, dialRsp(onAgent, 8, ""))
		s.agent.hears(t, closeReq(8))
		s.stillServes(t)
	})
}

func TestServerWhenClientVanishesEstablished(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 61, 4)
		s.client.vanish()
		s.agent.hears(t, closeReq(4))
		s.agent.say(t, closeRsp(4, ""))
		s.stillServes(t)
	})
}

// A client that half-closes its stream is done: the server ends the RPC with OK.
func TestServerEndsRPCAfterClientHalfClose(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 61, 4)
		if err := s.client.client.CloseSend(); err != nil {
			t.Fatal(err)
		}
		s.agent.hears(t, closeReq(4))
		<-s.client.ended
		if s.client.reason.Error() != "EOF" {
			t.Fatalf("RPC ended with %v, want OK", s.client.reason)
		}
	})
}

func TestServerOnDataBeforeDial(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.client.say(t, data(12, "early"))
		s.client.hears(t, closeRsp(12, "backend not initialized"))
		s.client.say(t, dialReq(1, "10.0.0.1:80"), data(12, "again"))
		s.client.hearsNothing(t)
		s.agent.hearsNothing(t)
		s.stillServes(t)
	})
}

func TestServerOnCloseBeforeDial(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.client.say(t, closeReq(12), closeReq(0))
		s.client.hears(t, closeRsp(12, "backend uninitialized"), closeRsp(0, "backend uninitialized"))
		s.established(t, s.client, 2, 1)
	})
}

func TestServerOnMismatchedIDs(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 2, 1)
		s.client.say(t, data(1, "a"), data(9, "b"))
		s.agent.hears(t, data(1, "a"))
		// The reference closes 9 at the agent as well, though it may be somebody else's.
		s.agent.hearsPast(t, pb.PacketType_CLOSE_REQ, closeReq(1))
		const reason = "mismatched connection IDs"
		s.client.hears(t, closeRsp(9, reason), closeRsp(1, reason))
		s.client.say(t, data(1, "c"))
		s.agent.hearsNothing(t)
		s.stillServes(t)
	})
}

func TestServerDropsDataForConnectionZero(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 2, 1)
		s.client.say(t, data(0, "nobody's"), data(1, "mine"))
		s.agent.hears(t, data(1, "mine"))
		s.agent.say(t, data(0, "nobody's"), data(1, "mine"))
		s.client.hears(t, data(1, "mine"))
	})
}

func TestServerOnSecondDialOfAStream(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 2, 1)
		second := s.pending(t, s.client, 3, "10.0.0.2:80")
		s.agent.say(t, dialRsp(second, 2, ""))
		s.client.hears(t, dialRsp(3, 2, ""))
		s.stillServes(t)
	})
}

// A second dial points the stream at the backend of the new target.
func TestServerSecondDialChangesTheBackend(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{flags: []string{"--proxy-strategies=destHost"}})
		one := rawAgent(t, s, "one", "agentidentifiers", "host=one")
		two := rawAgent(t, s, "two", "agentidentifiers", "host=two")
		wantMetric(t, s.health, 2, serverPrefix+"ready_backends", "proxy_strategy", "destHost")
		client := rawClient(t, s)
		client.say(t, dialReq(1, "one:80"))
		one.say(t, dialRsp(one.hearsDial(t, "one:80"), 1, ""))
		client.hears(t, dialRsp(1, 1, ""))
		client.say(t, dialReq(2, "two:80"))
		two.say(t, dialRsp(two.hearsDial(t, "two:80"), 5, ""))
		client.hears(t, dialRsp(2, 5, ""))
		client.say(t, data(5, "for two"))
		two.hears(t, data(5, "for two"))
		one.hearsNothing(t)
	})
}

func TestServerOnDataForUnknownConnection(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.agent.say(t, data(55, "whose?"))
		s.agent.hears(t, closeReq(55))
		s.agent.say(t, closeRsp(55, "unrecognized connectID"), closeRsp(0, ""))
		s.agent.hearsNothing(t)
		s.stillServes(t)
	})
}

func TestServerAnswersLateDataAfterClose(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 2, 1)
		s.agent.say(t, data(1, "last"), closeRsp(1, ""), data(1, "late"))
		s.client.hears(t, data(1, "last"), closeRsp(1, ""))
		s.agent.hears(t, closeReq(1))
		s.stillServes(t)
	})
}

func TestServerWhenAgentIsLost(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 2, 1)
		s.agent.vanish()
		s.client.hearsClose(t, 1)
		wantMetric(t, s.health, 0, serverPrefix+"ready_backend_connections")
		eventually(t, "readiness falls", patience, wantPage(s.health, "/readyz", 500, "no connection to any proxy agent"))
		late := rawClient(t, s.server)
		late.say(t, dialReq(3, "10.0.0.1:80"))
		late.hears(t, dialRsp(3, 0, "No agent available"))
	})
}

// hearsClose wants the end of a connection; it may carry a reason.
func (s *rawStream) hearsClose(t testing.TB, id int64) {
	t.Helper()
	if got := s.hearsType(t, pb.PacketType_CLOSE_RSP).GetCloseResponse(); got.ConnectID != id {
		t.Fatalf("received %v, want the end of connection %d", got, id)
	}
}

func TestServerBackendDialTimeout(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program, "--backend-dial-timeout=300ms")
		onAgent := s.pending(t, s.client, 2, "10.0.0.1:80")
		s.client.hears(t, dialRsp(2, 0, "timed out waiting for backend dial"))
		wantDialFailures(t, s.server, "backend_dial_timeout", 1)
		s.agent.say(t, dialRsp(onAgent, 6, ""))
		s.agent.hearsPast(t, pb.PacketType_DIAL_CLS, closeReq(6))
		s.stillServes(t)
	})
}
