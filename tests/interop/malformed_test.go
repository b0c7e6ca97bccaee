package interop

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// hostile are messages that an authenticated peer may send; none may hurt the process or anybody else.
// crashes marks those that a Go peer dies of; TestReferenceBugMissingPayload proves that.
var hostile = []struct {
	name    string
	raw     [][]byte
	crashes bool
}{
	{"empty message is a dial without payload", [][]byte{{}}, true},
	{"dial response without payload", [][]byte{encode(bare(pb.PacketType_DIAL_RSP))}, true},
	{"data without payload", [][]byte{encode(bare(pb.PacketType_DATA))}, true},
	{"close request without payload", [][]byte{encode(bare(pb.PacketType_CLOSE_REQ))}, true},
	{"close response without payload", [][]byte{encode(bare(pb.PacketType_CLOSE_RSP))}, true},
	{"dial close without payload", [][]byte{encode(bare(pb.PacketType_DIAL_CLS))}, true},
	{"drain without payload", [][]byte{encode(bare(pb.PacketType_DRAIN))}, false},
	{"unknown types", [][]byte{encode(bare(9)), encode(bare(1 << 30)), encode(bare(-1))}, false},
	{"payload of another type", [][]byte{mismatched(pb.PacketType_DATA), mismatched(pb.PacketType_CLOSE_RSP)}, true},
	{"two payloads", [][]byte{append(encode(closeRsp(4000, "x")), encode(data(4000, "y"))...)}, false},
	{"unknown fields", [][]byte{append(encode(closeRsp(4001, "")), protowire.AppendVarint(protowire.AppendTag(nil, 900, protowire.VarintType), 1)...)}, false},
	{"overlong varint", [][]byte{append([]byte{0x08}, 0x83, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)}, true},
	{"negative ids", [][]byte{encode(closeRsp(-1, "")), encode(data(-5, "x")), encode(dialRsp(-7, -7, ""))}, false},
	{"extreme ids", [][]byte{encode(closeRsp(1<<63-1, "")), encode(data(1<<63-1, "x"))}, false},
	{"id zero everywhere", [][]byte{encode(data(0, "x")), encode(closeReq(0)), encode(closeRsp(0, "")), encode(dialRsp(0, 0, "")), encode(dialCls(0))}, false},
	{"data without bytes", [][]byte{encode(data(4002, ""))}, false},
	{"doubled packets", repeat(encode(closeRsp(4003, "")), 200), false},
	{"a storm of unknown data", repeat(encode(data(4004, "?")), 2000), false},
	{"huge error text", [][]byte{encode(closeRsp(4005, strings.Repeat("e", 1<<20)))}, false},
	{"bytes that are no text", [][]byte{[]byte("\x08\x03\x32\x04\x0a\x02\xff\xfe")}, false},
	{"garbage", [][]byte{{0xff, 0xff, 0xff, 0xff}}, false},
	{"truncated", [][]byte{{0x08, 0x04, 0x22, 0x40, 0x08}}, false},
	{"over the limit", [][]byte{make([]byte, 4<<20+1)}, false},
}

func mismatched(kind pb.PacketType) []byte {
	packet := dialCls(5)
	packet.Type = kind
	return encode(packet)
}

func repeat(raw []byte, times int) [][]byte {
	var all [][]byte
	for range times {
		all = append(all, raw)
	}
	return all
}

// bystander is a tunnel of somebody else which must not notice anything.
func TestServerSurvivesHostilePeers(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		wantMetric(t, s.health, 1, serverPrefix+"ready_backend_connections")
		s.established(t, s.client, 2, 1)
		for _, c := range hostile {
			if c.crashes && program.reference() {
				continue
			}
			fromClient := rawClient(t, s.server)
			for _, raw := range c.raw {
				fromClient.SendMsg(raw)
			}
			fromAgent := rawAgentUnheard(t, s.server, "agentid", "agent")
			for _, raw := range c.raw {
				fromAgent.SendMsg(raw)
			}
			s.client.say(t, data(1, "up"))
			s.agent.hearsBystander(t, data(1, "up"))
			s.agent.say(t, data(1, "down"))
			s.client.hears(t, data(1, "down"))
			fromAgent.vanish()
			fromClient.vanish()
			if t.Failed() {
				t.Fatalf("after %q", c.name)
			}
		}
		eventually(t, "hostile agents gone", patience, metricIs(s.health, 1, serverPrefix+"grpc_connections", "service_method", "Connect"))
		s.client.say(t, data(1, "end"))
		s.agent.hearsBystander(t, data(1, "end"))
	})
}

// hearsBystander skips what the server asked the agent because of the hostile client: dials and closes.
func (c *caller) hearsBystander(t testing.TB, want *pb.Packet) {
	t.Helper()
	for {
		got, err := c.next(patience)
		if err != nil {
			t.Fatalf("the bystander's bytes are lost: %v", err)
		}
		if got.Type == pb.PacketType_DATA {
			if show(got) != show(want) {
				t.Fatalf("the bystander received %s, want %s", show(got), show(want))
			}
			return
		}
	}
}

func TestAgentSurvivesHostileServers(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		target := listen(t, "127.0.0.1", echo).address
		server, _, stream := withAgent(t, program, agentSpec{})
		for _, c := range hostile {
			if c.crashes && program.reference() {
				continue
			}
			id, again := stream.opened(t, 1, target), stream
			for _, raw := range c.raw {
				if stream.SendMsg(raw) != nil {
					break
				}
			}
			// A message that cannot be decoded may end the stream; the agent must come back on its own.
			stream.SendMsg(encode(data(id, "bystander")))
			if err := stream.echoes(id, "bystander"); err != nil {
				again = server.accept(t)
			}
			if stream = again; t.Failed() {
				t.Fatalf("after %q", c.name)
			}
			stream.quiet()
		}
		stream.stillServes(t, target)
	})
}

// echoes skips the agent's answers to hostile packets until the echo of text is complete.
func (a *accepted) echoes(id int64, text string) error {
	for got := ""; got != text; {
		packet, err := a.next(patience)
		if err != nil {
			return err
		}
		if d := packet.GetData(); d != nil && d.ConnectID == id {
			got += string(d.Data)
		}
		if !strings.HasPrefix(text, got) {
			return errors.New("the bystander's echo is wrong: " + got)
		}
	}
	return nil
}

// quiet drops late answers.
func (a *accepted) quiet() {
	for {
		if _, err := a.next(silence / 3); err != nil {
			return
		}
	}
}

// Truncated and impossible framing: the connection or stream may go, the process and the bystander not.
func TestServerSurvivesBrokenFraming(t *testing.T) {
	for name, attack := range map[string]func(h *h2conn, method string){
		"cut in the length": func(h *h2conn, method string) {
			h.send(h.request(method, "x", "agentid", "z"), []byte{0, 0})
			h.Close()
		},
		"cut in the body": func(h *h2conn, method string) {
			h.send(h.request(method, "x", "agentid", "z"), []byte{0, 0, 0, 1, 0, 9})
			h.Close()
		},
		"end inside a message": func(h *h2conn, method string) {
			h.framer.WriteData(h.request(method, "x", "agentid", "z"), true, []byte{0, 0, 0, 1, 0, 9})
		},
		"flag 255": func(h *h2conn, method string) {
			h.send(h.request(method, "x", "agentid", "z"), message(255, []byte("x")))
		},
		"reset at once": func(h *h2conn, method string) { h.framer.WriteRSTStream(h.request(method, "x", "agentid", "z"), 8) },
		"rapid resets":  rapidResets,
		"window overflow": func(h *h2conn, method string) {
			h.framer.WriteWindowUpdate(0, 1<<31-1)
			h.framer.WriteWindowUpdate(0, 1<<31-1)
		},
		"window zero": func(h *h2conn, method string) {
			h.framer.WriteRawFrame(8, 0, h.request(method, "x"), []byte{0, 0, 0, 0})
		},
		"data on stream 0":    func(h *h2conn, _ string) { h.framer.WriteRawFrame(0, 0, 0, []byte("zero")) },
		"frame of 16 MB":      func(h *h2conn, _ string) { h.Write([]byte{0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1}) },
		"unknown frame":       func(h *h2conn, _ string) { h.framer.WriteRawFrame(0x7f, 0xff, 0, make([]byte, 100)) },
		"bad header block":    func(h *h2conn, _ string) { h.writeBlock(1, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) },
		"no pseudo headers":   func(h *h2conn, _ string) { h.writeBlock(1, []byte{0x00, 0x01, 'a', 0x01, 'b'}) },
		"continuation alone":  func(h *h2conn, _ string) { h.framer.WriteContinuation(1, true, []byte{0x82}) },
		"even stream":         func(h *h2conn, _ string) { h.writeBlock(2, []byte{0x82}) },
		"settings too long":   func(h *h2conn, _ string) { h.framer.WriteRawFrame(4, 0, 0, make([]byte, 7)) },
		"ping flood":          func(h *h2conn, _ string) { flood(func() error { return h.framer.WritePing(false, [8]byte{1}) }) },
		"settings flood":      func(h *h2conn, _ string) { flood(func() error { return h.framer.WriteSettings() }) },
		"not HTTP/2 any more": func(h *h2conn, _ string) { h.Write([]byte(strings.Repeat("GET / HTTP/1.1\r\n\r\n", 50))) },
	} {
		t.Run(name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := newStage(t, program)
				s.established(t, s.client, 2, 1)
				attack(frontendH2(t, s.server), "/ProxyService/Proxy")
				attack(openH2(t, "tcp", s.agents, world.pki.cluster.clientTLS(t, "h2")), "/AgentService/Connect")
				s.client.say(t, data(1, "up"))
				s.agent.hears(t, data(1, "up"))
				s.agent.say(t, data(1, "down"))
				s.client.hears(t, data(1, "down"))
				rawClient(t, s.server).say(t, closeReq(1))
			})
		})
	}
}

func flood(one func() error) {
	for range 20000 {
		if one() != nil {
			return
		}
	}
}

// rapidResets opens and resets streams as a busy reusable client does, only faster.
func rapidResets(h *h2conn, method string) {
	flood := 3000
	for range flood {
		if h.framer.WriteRSTStream(h.request(method, "x", "agentid", "z"), 8) != nil {
			return
		}
	}
}
