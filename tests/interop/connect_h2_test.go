package interop

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// connect opens a CONNECT stream (RFC 9113, 8.5).
func (h *h2conn) connect(target string) uint32 {
	h.block.Reset()
	h.encoder.WriteField(hpack.HeaderField{Name: ":method", Value: "CONNECT"})
	h.encoder.WriteField(hpack.HeaderField{Name: ":authority", Value: target})
	id := h.next
	h.next += 2
	h.writeBlock(id, h.block.Bytes())
	return id
}

// Programs learn from a header why a CONNECT over HTTP/2 was refused; the body stays that of HTTP/1.1, for people.
func TestRefusedConnectStreamSaysWhy(t *testing.T) {
	eachKindOfAgent(t, func(t *testing.T, program peer, flags []string) {
		s := startServer(t, ourServer(t), serverSpec{http: true, flags: []string{"--proxy-strategies=destHost"}})
		startAgent(t, program, s, agentSpec{identifiers: "host=127.0.0.1&host=nobody.invalid", flags: flags})
		refused := closedPort(t)
		for target, want := range map[string]struct{ status, header, body string }{
			refused:             {"502", "cluster-proxy-agent; error=connection_refused; details=", "connection refused"},
			"nobody.invalid:80": {"502", "cluster-proxy-agent; error=dns_error; details=", "lookup nobody.invalid"},
			"nowhere:80":        {"500", "cluster-proxy-server; error=destination_not_found; details=", "No agent available"},
		} {
			h := openH2(t, "tcp", s.frontend, s.spec.pki.frontend.clientTLS(t, "h2"))
			answer, err := h.reply(h.connect(target), streamEnded)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(answer.headers[":status"], " ", answer.headers["proxy-status"])
			if !strings.HasPrefix(got, want.status+" "+want.header) || !strings.Contains(got, want.body) {
				t.Errorf("%s: answer is %q, want %s %s with %q", target, got, want.status, want.header, want.body)
			}
			if !strings.Contains(string(answer.body), want.body) {
				t.Errorf("%s: body is %q, want %q in it", target, answer.body, want.body)
			}
		}
	})
}
