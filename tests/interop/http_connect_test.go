package interop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// eachHTTPFrontend runs the test over TLS and over a Unix socket.
func eachHTTPFrontend(t *testing.T, test func(t *testing.T, s *server), flags ...string) {
	for _, front := range frontends[2:] {
		t.Run("client="+front.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				spec := front.spec
				spec.flags = flags
				test(t, startServer(t, program, spec))
			})
		})
	}
}

// ask sends bytes on a new connection and gives it back.
func ask(t testing.TB, s *server, request string) net.Conn {
	t.Helper()
	conn, err := opener(t, s)()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn
}

// wantReply wants exactly these bytes and then the end of the connection.
func wantReply(t testing.TB, conn net.Conn, want string) {
	t.Helper()
	got, err := io.ReadAll(conn)
	if string(got) != want {
		t.Fatalf("reply is %q (%v), want %q", got, err, want)
	}
}

const connectTarget = "CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

func TestConnectWithoutAgent(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		wantReply(t, ask(t, s, connectTarget), "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n"+
			"currently no tunnels available: No agent available")
	})
}

func TestConnectEstablishes(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		agent.say(t, dialRsp(agent.hearsDial(t, "10.0.0.1:80"), 1, ""))
		head := make([]byte, 4096)
		if n, _ := conn.Read(head); string(head[:n]) != established {
			t.Fatalf("answer is %q, want exactly %q", head[:n], established)
		}
		io.WriteString(conn, "up")
		agent.hears(t, data(1, "up"))
		agent.say(t, data(1, "down"), closeRsp(1, ""))
		wantReply(t, conn, "down")
	})
}

func TestConnectClosesTheConnection(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		agent.say(t, dialRsp(agent.hearsDial(t, "10.0.0.1:80"), 1, ""))
		if _, err := readEstablished(conn); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		agent.hears(t, closeReq(1))
		wantMetric(t, s.health, 0, serverPrefix+"http_connections")
	})
}

// Where the target comes from: the request line, and Host only when that is a path.
func TestConnectTarget(t *testing.T) {
	for _, c := range []struct{ name, request, want string }{
		{"request line", "CONNECT a.example:443 HTTP/1.1\r\nHost: other:1\r\n\r\n", "a.example:443"},
		{"no Host", "CONNECT a.example:443 HTTP/1.1\r\n\r\n", "a.example:443"},
		{"IPv6", "CONNECT [fd00::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n", "[fd00::1]:443"},
		{"path", "CONNECT /somewhere HTTP/1.1\r\nHost: b.example:8080\r\n\r\n", "b.example:8080"},
		{"HTTP/1.0", "CONNECT a.example:443 HTTP/1.0\r\n\r\n", "a.example:443"},
		{"bare LF", "CONNECT a.example:443 HTTP/1.1\nHost: x\n\n", "a.example:443"},
		{"many headers", "CONNECT a.example:443 HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Long: "+strings.Repeat("y", 1000)+"\r\n", 500) + "\r\n", "a.example:443"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := startServer(t, program, serverSpec{http: true, unix: true})
				agent := rawAgent(t, s, "agent")
				ask(t, s, c.request)
				agent.hearsDial(t, c.want)
			})
		})
	}
}

// Bytes behind the request head are the tunnel's first bytes.
func TestConnectForwardsPipelinedBytes(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget+"already here")
		agent.say(t, dialRsp(agent.hearsDial(t, "10.0.0.1:80"), 1, ""))
		agent.hearsData(t, 1, len("already here"))
		io.WriteString(conn, " and more")
		if got := agent.hearsData(t, 1, len(" and more")); got != " and more" {
			t.Fatalf("then came %q", got)
		}
	})
}

func TestConnectDialErrors(t *testing.T) {
	for _, c := range []struct{ reason, status string }{
		{"dial tcp 10.0.0.1:80: i/o timeout", "504 Gateway Timeout"},
		{"context DEADLINE Exceeded", "504 Gateway Timeout"},
		{"socket: too many open files", "503 Service Unavailable"},
		{"dial tcp 10.0.0.1:80: connect: connection refused", "502 Bad Gateway"},
		{"read: connection reset by peer", "502 Bad Gateway"},
		{"dial tcp: lookup x on 10.0.0.10:53: no such host", "502 Bad Gateway"},
		{"network is unreachable", "502 Bad Gateway"},
		{"tls: bad certificate", "502 Bad Gateway"},
		{"something new", "502 Bad Gateway"},
	} {
		t.Run(c.status+"/"+c.reason, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := startServer(t, program, serverSpec{http: true, unix: true})
				agent := rawAgent(t, s, "agent")
				conn := ask(t, s, connectTarget)
				agent.say(t, dialRsp(agent.hearsDial(t, "10.0.0.1:80"), 0, c.reason))
				wantReply(t, conn, "HTTP/1.1 "+c.status+"\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+c.reason)
				wantDialFailures(t, s, "error_response", 1)
				if program.reference() {
					s.mayDie() // v0.36 may close a refused connection twice and crash
				}
			})
		})
	}
}

func TestConnectWhenAgentSendsDialClose(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		agent.say(t, dialCls(agent.hearsDial(t, "10.0.0.1:80")))
		wantReply(t, conn, "")
		wantDialFailures(t, s, "backend_close", 1)
	})
}

func TestConnectWhenAgentIsLostWhileDialing(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		agent.hearsDial(t, "10.0.0.1:80")
		agent.vanish()
		reply, _ := io.ReadAll(conn)
		head := "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBackend context error: "
		if !strings.HasPrefix(string(reply), head) {
			t.Fatalf("reply is %q, want it to begin with %q", reply, head)
		}
		wantDialFailures(t, s, "backend_close", 1)
	})
}

func TestConnectWhenAgentIsLostEstablished(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		agent.say(t, dialRsp(agent.hearsDial(t, "10.0.0.1:80"), 1, ""))
		tunnel, err := readEstablished(conn)
		if err != nil {
			t.Fatal(err)
		}
		agent.vanish()
		mustEnd(t, tunnel)
	})
}

func TestConnectBackendDialTimeout(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		onAgent := agent.hearsDial(t, "10.0.0.1:80")
		wantReply(t, conn, "HTTP/1.1 504 Gateway Timeout\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+
			"Backend dial timeout: timed out waiting for backend dial\r\n")
		agent.say(t, dialRsp(onAgent, 9, ""))
		agent.hearsPast(t, pb.PacketType_DIAL_CLS, closeReq(9))
		wantDialFailures(t, s, "backend_dial_timeout", 1)
	}, "--backend-dial-timeout=300ms")
}

// Go adds its reason for some (": missing required Host header") to the status line and to the body.
var badRequest = regexp.MustCompile(`^HTTP/1\.1 400 Bad Request(: [^\r]+)?\r\n` +
	`Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request(: .+)?$`)

func TestConnectRefusesMalformedRequests(t *testing.T) {
	for name, request := range map[string]string{
		"no HTTP":        "hello\r\n\r\n",
		"no version":     "CONNECT a:1\r\n\r\n",
		"bad header":     "CONNECT a:1 HTTP/1.1\r\nno colon\r\n\r\n",
		"space in name":  "CONNECT a:1 HTTP/1.1\r\nBad Name: x\r\n\r\n",
		"control char":   "CONNECT a:1 HTTP/1.1\r\nX: \x01\r\n\r\n",
		"two hosts":      "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"bad target":     "CONNECT a:1:2[ HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET, no Host":   "GET / HTTP/1.1\r\n\r\n",
		"line too short": "\r\n\r\nX\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			eachHTTPFrontend(t, func(t *testing.T, s *server) {
				conn := ask(t, s, request)
				reply, _ := io.ReadAll(conn)
				if !badRequest.Match(reply) {
					t.Fatalf("reply is %q, want it to match %v", reply, badRequest)
				}
			})
		})
	}
}

func TestConnectRefusesHugeHeader(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		conn := ask(t, s, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n")
		go func() {
			line := "X-Huge: " + strings.Repeat("y", 4000) + "\r\n"
			for range 400 {
				if _, err := io.WriteString(conn, line); err != nil {
					return
				}
			}
			io.WriteString(conn, "\r\n")
		}()
		line, err := bufio.NewReader(conn).ReadString('\n')
		if line != "HTTP/1.1 431 Request Header Fields Too Large\r\n" {
			t.Fatalf("a header of 1.6 MB was answered %q (%v), want 431", line, err)
		}
	})
}

func TestConnectRefusesOtherMethods(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		conn := ask(t, s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		reader := bufio.NewReader(conn)
		for range 2 { // the connection is kept for a second request
			head, err := readHead(reader)
			if err != nil {
				t.Fatal(err)
			}
			const want = "this proxy only supports CONNECT passthrough\n"
			body := make([]byte, len(want))
			io.ReadFull(reader, body)
			for _, part := range []string{"HTTP/1.1 405 Method Not Allowed\r\n", "X-Content-Type-Options: nosniff\r\n",
				"Content-Type: text/plain; charset=utf-8\r\n", fmt.Sprintf("Content-Length: %d\r\n", len(want))} {
				if !strings.Contains(head, part) {
					t.Errorf("head %q lacks %q", head, part)
				}
			}
			if string(body) != want {
				t.Errorf("body is %q, want %q", body, want)
			}
			io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
		}
	})
}

func TestConnectRefusesOtherMethodsOnHTTP10(t *testing.T) {
	eachHTTPFrontend(t, func(t *testing.T, s *server) {
		reply, err := io.ReadAll(ask(t, s, "GET / HTTP/1.0\r\n\r\n"))
		if err != nil || !strings.HasPrefix(string(reply), "HTTP/1.0 405 Method Not Allowed\r\n") &&
			!strings.HasPrefix(string(reply), "HTTP/1.1 405 Method Not Allowed\r\n") {
			t.Fatalf("reply is %q (%v), want 405 and the end of the connection", reply, err)
		}
	})
}

// An agent that dials for real: each reason becomes the status that Kubernetes logs.
func TestConnectThroughRealAgent(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{http: true})
		if pair.server.reference() {
			s.mayDie()
		}
		startAgent(t, pair.agent, s, agentSpec{})
		dial := connectDialer(t, s)
		address := closedPort(t)
		_, err := dial(t.Context(), address)
		var refused *refusal
		if !errors.As(err, &refused) || refused.status != "HTTP/1.1 502 Bad Gateway" ||
			refused.body != "dial tcp "+address+": connect: connection refused" {
			t.Fatalf("dial of a closed port: %v", err)
		}
	})
}
