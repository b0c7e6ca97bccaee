package interop

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2conn is a bare HTTP/2 connection: frames as the test wants them, no grpc library between.
type h2conn struct {
	net.Conn
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
	next    uint32
}

// openH2 connects to an agent port or frontend and exchanges SETTINGS.
func openH2(t testing.TB, network, address string, config *tls.Config) *h2conn {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if config != nil {
		secure := tls.Client(conn, config)
		if err := secure.Handshake(); err != nil {
			t.Fatal(err)
		}
		conn = secure
	}
	h := &h2conn{Conn: conn, framer: http2.NewFramer(conn, conn), next: 1}
	h.encoder = hpack.NewEncoder(&h.block)
	h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	io.WriteString(conn, http2.ClientPreface)
	h.framer.WriteSettings()
	return h
}

// frontendH2 is openH2 on the frontend of a grpc server.
func frontendH2(t testing.TB, s *server) *h2conn {
	t.Helper()
	if s.spec.unix {
		return openH2(t, "unix", s.frontend, nil)
	}
	return openH2(t, "tcp", s.frontend, s.spec.pki.frontend.clientTLS(t, "h2"))
}

// request opens a stream; pairs of the extra headers follow the usual ones.
func (h *h2conn) request(method, authority string, extra ...string) uint32 {
	h.block.Reset()
	fields := append([]string{":method", "POST", ":scheme", "https", ":path", method, ":authority", authority,
		"content-type", "application/grpc", "te", "trailers"}, extra...)
	for i := 0; i < len(fields); i += 2 {
		h.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	id := h.next
	h.next += 2
	h.writeBlock(id, h.block.Bytes())
	return id
}

func (h *h2conn) writeBlock(id uint32, block []byte) {
	const most = 16384
	first := block[:min(most, len(block))]
	h.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndHeaders: len(first) == len(block)})
	for rest := block[len(first):]; len(rest) > 0; {
		part := rest[:min(most, len(rest))]
		rest = rest[len(part):]
		h.framer.WriteContinuation(id, len(rest) == 0, part)
	}
}

// message frames a gRPC message; flag 1 claims that it is compressed.
func message(flag byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(body))), body...)
}

func (h *h2conn) send(id uint32, raw []byte) {
	for len(raw) > 0 {
		part := raw[:min(16384, len(raw))]
		raw = raw[len(part):]
		h.framer.WriteData(id, false, part)
	}
}

// reply reads frames until the stream's answer is complete enough for done; it acknowledges what it must.
func (h *h2conn) reply(id uint32, done func(r *h2reply) bool) (*h2reply, error) {
	r := &h2reply{headers: map[string]string{}}
	for !done(r) {
		frame, err := h.framer.ReadFrame()
		if err != nil {
			return r, fmt.Errorf("connection ended, so far %+v: %w", r, err)
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				h.framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				h.framer.WritePing(true, f.Data)
			}
		default:
			if frame.Header().StreamID == id {
				r.take(frame)
			}
		}
	}
	return r, nil
}

// h2reply is what came on one stream.
type h2reply struct {
	headers map[string]string
	body    []byte
	ended   bool
	reset   bool
}

func (r *h2reply) take(frame http2.Frame) {
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		for _, field := range f.Fields {
			r.headers[field.Name] = field.Value
		}
		r.ended = r.ended || f.StreamEnded()
	case *http2.DataFrame:
		r.body = append(r.body, f.Data()...)
		r.ended = r.ended || f.StreamEnded()
	case *http2.RSTStreamFrame:
		r.reset, r.ended = true, true
	}
}

func streamEnded(r *h2reply) bool { return r.ended }

func bodyOf(n int) func(*h2reply) bool {
	return func(r *h2reply) bool { return r.ended || len(r.body) >= n }
}
