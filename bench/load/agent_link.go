package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// link is one agent's HTTP/2 connection with its one long-lived stream; just enough of either protocol to be an agent
// that nobody dials through.
type link struct {
	conn   *tls.Conn
	framer *http2.Framer
}

func newLink(conn *tls.Conn) *link {
	l := &link{conn, http2.NewFramer(conn, conn)}
	l.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return l
}

// openKonnectivity calls /AgentService/Connect and waits for the server's headers.
func openKonnectivity(conn *tls.Conn, id string) (*link, error) {
	l := newLink(conn)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return nil, err
	}
	if err := l.framer.WriteSettings(); err != nil {
		return nil, err
	}
	err := l.headers(":method", "POST", ":scheme", "https", ":path", "/AgentService/Connect", ":authority", "localhost",
		"content-type", "application/grpc", "te", "trailers", "agentid", id, "agentidentifiers", "")
	if err != nil {
		return nil, err
	}
	return l, l.until(func(frame http2.Frame) bool {
		answer, ok := frame.(*http2.MetaHeadersFrame)
		return ok && !answer.StreamEnded() && answer.PseudoValue("status") == "200"
	})
}

// openNative answers the server's control stream and waits for its welcome.
func openNative(conn *tls.Conn, id string) (*link, error) {
	l := newLink(conn)
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return nil, err
	}
	if string(preface) != http2.ClientPreface {
		return nil, fmt.Errorf("the server began with %q instead of an HTTP/2 preface", preface)
	}
	if err := l.framer.WriteSettings(); err != nil {
		return nil, err
	}
	asked := func(frame http2.Frame) bool { _, ok := frame.(*http2.MetaHeadersFrame); return ok }
	if err := l.until(asked); err != nil {
		return nil, err
	}
	if err := l.headers(":status", "200", "agent-id", id, "agent-identifiers", "", "link", "0", "agent-version", "bench"); err != nil {
		return nil, err
	}
	return l, l.until(func(frame http2.Frame) bool {
		data, ok := frame.(*http2.DataFrame)
		return ok && bytes.Contains(data.Data(), []byte(`"welcome"`))
	})
}

// headers sends names and values in turns on stream 1 and leaves it open.
func (l *link) headers(fields ...string) error {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return l.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
}

// serve keeps the connection until it is lost.
func (l *link) serve() {
	defer l.conn.Close()
	l.until(func(http2.Frame) bool { return false })
}

// until answers what HTTP/2 wants answered, until a frame is the wanted one.
func (l *link) until(wanted func(http2.Frame) bool) error {
	for {
		frame, err := l.framer.ReadFrame()
		if err != nil {
			return err
		}
		if wanted(frame) {
			return nil
		}
		if err := l.answer(frame); err != nil {
			return err
		}
	}
}

var errEnded = errors.New("the server ended the link")

func (l *link) answer(frame http2.Frame) error {
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			return l.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			return l.framer.WritePing(true, frame.Data)
		}
	case *http2.GoAwayFrame, *http2.RSTStreamFrame:
		return errEnded
	case *http2.MetaHeadersFrame:
		if frame.StreamEnded() {
			return errEnded
		}
	}
	return nil
}
