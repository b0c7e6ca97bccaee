package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http2"
)

// errNotSpoken is final: waiting does not teach a server a protocol.
var errNotSpoken = errors.New("the frontend does not speak HTTP/2")

// dialConnectH2 carries every tunnel as a CONNECT stream of one TLS connection (RFC 9113, 8.5).
func dialConnectH2(r route) (dialer, error) {
	config, err := r.tlsConfig("h2")
	if err != nil {
		return nil, err
	}
	conn, err := tls.Dial("tcp", r.front, config)
	if err != nil && strings.Contains(err.Error(), "no application protocol") {
		return nil, errNotSpoken
	}
	if err != nil {
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		return nil, errNotSpoken
	}
	link, err := (&http2.Transport{}).NewClientConn(conn)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (tunnel, error) { return connectStream(ctx, link, r.to) }, nil
}

type h2Tunnel struct {
	io.ReadCloser
	io.WriteCloser
}

func (t h2Tunnel) Close() error {
	t.WriteCloser.Close()
	return t.ReadCloser.Close()
}

// connectStream leaves the context to the dial alone: a request's context would end the tunnel with it.
func connectStream(ctx context.Context, link *http2.ClientConn, to string) (tunnel, error) {
	reader, writer := io.Pipe()
	life, end := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, end)
	request := (&http.Request{Method: http.MethodConnect, URL: &url.URL{Host: to}, Host: to,
		Header: http.Header{}, Body: reader}).WithContext(life)
	response, err := link.RoundTrip(request)
	if !stop() || err != nil {
		end()
		return nil, fmt.Errorf("CONNECT %s over HTTP/2: %v %v", to, err, ctx.Err())
	}
	if response.StatusCode != http.StatusOK {
		end()
		return nil, fmt.Errorf("CONNECT %s over HTTP/2: %s", to, response.Status)
	}
	return h2Tunnel{response.Body, writer}, nil
}
