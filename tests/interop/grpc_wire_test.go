package interop

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// wantAnswer sends a dial on a fresh stream and wants the DIAL_RSP that a server without agents gives.
func wantAnswer(t testing.TB, h *h2conn, authority string, extra ...string) {
	t.Helper()
	id := h.request("/ProxyService/Proxy", authority, extra...)
	h.send(id, message(0, encode(dialReq(5, "10.0.0.1:80"))))
	want := message(0, encode(dialRsp(5, 0, "No agent available")))
	reply, err := h.reply(id, bodyOf(len(want)))
	if err != nil || !bytes.Equal(reply.body, want) {
		t.Fatalf("answer is %+v (%v), want body %x", reply, err, want)
	}
}

// Old grpc-go sends the raw socket path as :authority, newer ones percent-encode it.
func TestServerAcceptsAnyAuthority(t *testing.T) {
	for name, authority := range map[string]string{
		"raw path": "/etc/kubernetes/konnectivity-server/konnectivity-server.socket", "encoded": "%2Fetc%2Fx.socket",
		"localhost": "localhost", "host and port": "127.0.0.1:8090", "odd": "a b@[c",
	} {
		t.Run(name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				wantAnswer(t, frontendH2(t, startServer(t, program, serverSpec{unix: true})), authority)
			})
		})
	}
}

// The user agent and unknown metadata are nobody's business; headers may be large.
func TestServerAcceptsLargeMetadata(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		h := frontendH2(t, startServer(t, program, serverSpec{}))
		fields := []string{"user-agent", "kube-apiserver/v1.34"}
		for i := range 16 { // our HTTP/2 library bounds one field to 64 KiB
			fields = append(fields, fmt.Sprint("x-future-", i), strings.Repeat("z", 60<<10))
		}
		wantAnswer(t, h, "x", fields...)
	})
}

// Frame boundaries are not message boundaries.
func TestServerReassemblesMessages(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		h := frontendH2(t, startServer(t, program, serverSpec{}))
		id := h.request("/ProxyService/Proxy", "x")
		raw := append(message(0, encode(closeReq(1))), message(0, encode(closeReq(300)))...)
		for i := range raw {
			h.send(id, raw[i:i+1])
			if i%3 == 0 {
				h.framer.WriteData(id, false, nil)
			}
		}
		want := append(message(0, encode(closeRsp(1, "backend uninitialized"))), message(0, encode(closeRsp(300, "backend uninitialized")))...)
		reply, err := h.reply(id, bodyOf(len(want)))
		if err != nil || !bytes.Equal(reply.body, want) {
			t.Fatalf("answer is %+v (%v), want body %x", reply, err, want)
		}
	})
}

func TestServerRefusesOnTheStreamOnly(t *testing.T) {
	for _, c := range []struct {
		name, method string
		raw          []byte
		want         string // grpc-status
	}{
		{"unknown method", "/ProxyService/Other", nil, "12"},
		{"unknown service", "/grpc.health.v1.Health/Check", nil, "12"},
		{"compressed", "/ProxyService/Proxy", message(1, []byte("zzz")), "12 13"},
		{"not protobuf", "/ProxyService/Proxy", message(0, []byte{0xff, 0xff, 0xff}), "13"},
		{"truncated protobuf", "/ProxyService/Proxy", message(0, []byte{0x12, 0x40, 1}), "13"},
		{"group end", "/ProxyService/Proxy", message(0, []byte{0x0c}), "13"},
		{"too big", "/ProxyService/Proxy", message(0, make([]byte, 4<<20+1))[:20], "8"},
		{"4 GiB", "/ProxyService/Proxy", []byte{0, 0xff, 0xff, 0xff, 0xff}, "8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				h := frontendH2(t, startServer(t, program, serverSpec{}))
				id := h.request(c.method, "x")
				h.send(id, c.raw)
				reply, err := h.reply(id, streamEnded)
				if got := reply.headers["grpc-status"]; err != nil || got == "" || !strings.Contains(" "+c.want+" ", " "+got+" ") {
					t.Fatalf("answer is %+v (%v), want grpc-status %s", reply, err, c.want)
				}
				if got := reply.headers["content-type"]; !strings.HasPrefix(got, "application/grpc") || reply.headers[":status"] != "200" {
					t.Errorf("answer is :status %s, content-type %q", reply.headers[":status"], got)
				}
				wantAnswer(t, h, "x")
			})
		})
	}
}

// The largest message that every Go peer takes passes in both directions; one byte more ends that stream alone.
func TestServerMessageLimit(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 1, 1)
		bystander := rawClient(t, s.server)
		s.established(t, bystander, 2, 2)
		most := strings.Repeat("m", 4<<20-14)
		s.client.say(t, data(1, most))
		if s.agent.hearsData(t, 1, len(most)) != most {
			t.Fatal("the largest message arrived changed at the agent")
		}
		s.agent.say(t, data(1, most))
		if s.client.hearsData(t, 1, len(most)) != most {
			t.Fatal("the largest message arrived changed at the client")
		}
		s.client.SendMsg(encode(data(1, most+"too much")))
		s.client.endsWith(t, codes.ResourceExhausted)
		s.agent.hears(t, closeReq(1))
		bystander.say(t, data(2, "unhurt"))
		s.agent.hears(t, data(2, "unhurt"))
	})
}

func TestServerMessageLimitOfAgents(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 1, 1)
		other := rawAgent(t, s.server, "other")
		wantMetric(t, s.health, 2, serverPrefix+"ready_backend_connections")
		s.agent.SendMsg(encode(data(1, strings.Repeat("m", 4<<20))))
		s.agent.endsWith(t, codes.ResourceExhausted)
		s.client.hearsClose(t, 1)
		wantMetric(t, s.health, 1, serverPrefix+"ready_backend_connections")
		rawClient(t, s.server).say(t, dialReq(8, "10.0.0.8:8"))
		other.hearsDial(t, "10.0.0.8:8")
	})
}

func TestServerJudgesAgentMetadata(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []string
		fails bool
	}{
		{"usual", []string{"agentid", "a", "agentidentifiers", "host=n1&ipv4=1.2.3.4"}, false},
		{"empty id", []string{"agentid", ""}, false},
		{"odd id", []string{"agentid", "a b/c?%"}, false},
		{"no identifiers", []string{"agentid", "a"}, false},
		{"empty identifiers", []string{"agentid", "a", "agentidentifiers", ""}, false},
		{"unknown key", []string{"agentid", "a", "agentidentifiers", "uid=7&future=x"}, false},
		{"unexpanded variable", []string{"agentid", "a", "agentidentifiers", "ipv4=${HOST_IP}"}, false},
		{"ignored token", []string{"agentid", "a", "authorization", "Basic x"}, false},
		{"no id", nil, true},
		{"two ids", []string{"agentid", "a", "agentid", "b"}, true},
		{"two identifiers", []string{"agentid", "a", "agentidentifiers", "host=a", "agentidentifiers", "host=b"}, true},
		{"semicolon", []string{"agentid", "a", "agentidentifiers", "host=a;ipv4=b"}, true},
		{"bad escape", []string{"agentid", "a", "agentidentifiers", "host=%zz"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := startServer(t, program, serverSpec{flags: []string{"--server-count=3"}})
				agent := rawAgentUnheard(t, s, c.pairs...)
				if c.fails {
					agent.endsWith(t, codes.Unknown)
					if status.Convert(agent.reason).Message() == "" {
						t.Error("the refusal gives no reason")
					}
					return
				}
				header, err := agent.client.Header()
				if err != nil || len(header.Get("serverid")) != 1 || header.Get("serverid")[0] != "server-under-test" ||
					len(header.Get("servercount")) != 1 || header.Get("servercount")[0] != "3" {
					t.Fatalf("response header is %v (%v)", header, err)
				}
				rawClient(t, s).say(t, dialReq(1, "10.0.0.1:80"))
			})
		})
	}
}

// Both gRPC listeners negotiate h2 and nothing else; the HTTP one http/1.1.
func TestServerNegotiatesALPN(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		grpc := startServer(t, program, serverSpec{})
		web := startServer(t, program, serverSpec{http: true})
		for _, c := range []struct {
			address string
			keys    *authority
			offer   []string
			want    string
		}{
			{grpc.frontend, world.pki.frontend, []string{"http/1.1", "h2"}, "h2"},
			{grpc.agents, world.pki.cluster, []string{"h2"}, "h2"},
			{grpc.agents, world.pki.cluster, []string{"custom", "h2"}, "h2"},
			{web.agents, world.pki.cluster, []string{"h2"}, "h2"},
			{web.frontend, world.pki.frontend, []string{"http/1.1"}, "http/1.1"},
		} {
			conn, err := tls.Dial("tcp", c.address, c.keys.clientTLS(t, c.offer...))
			if err != nil {
				t.Fatalf("offering %v: %v", c.offer, err)
			}
			if got := conn.ConnectionState().NegotiatedProtocol; got != c.want {
				t.Errorf("offering %v chose %q, want %q", c.offer, got, c.want)
			}
			conn.Close()
		}
	})
}

// Each listener believes its own authority only, and TLS 1.1 is out.
func TestServerRefusesStrangers(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{})
		refused := func(address string, config *tls.Config) error {
			conn, err := tls.Dial("tcp", address, config)
			if err != nil {
				return err
			}
			defer conn.Close()
			_, err = conn.Read(make([]byte, 1)) // TLS 1.3 reports a rejected client certificate here
			if err == nil {
				_, err = conn.Read(make([]byte, 4096))
			}
			return err
		}
		alien := world.pki.frontend.clientTLS(t, "h2")
		alien.InsecureSkipVerify = true
		if refused(s.agents, alien) == nil {
			t.Error("the agent port believed a certificate of the frontend's authority")
		}
		bare := world.pki.cluster.clientTLS(t, "h2")
		bare.Certificates = nil
		if refused(s.agents, bare) == nil {
			t.Error("the agent port believed a peer without a certificate")
		}
		old := world.pki.cluster.clientTLS(t, "h2")
		old.MaxVersion = tls.VersionTLS11
		if refused(s.agents, old) == nil {
			t.Error("TLS 1.1 was accepted")
		}
	})
}
