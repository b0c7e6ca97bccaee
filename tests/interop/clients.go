package interop

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	konnectivity "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/pkg/client"
)

// frontends are the four ways a client reaches a server.
var frontends = []struct {
	name string
	spec serverSpec
}{
	{"grpc-tls", serverSpec{}},
	{"grpc-uds", serverSpec{unix: true}},
	{"http-tls", serverSpec{http: true}},
	{"http-uds", serverSpec{http: true, unix: true}},
}

// dialer opens a tunnel to the address as the named kind of client does.
type dialer func(ctx context.Context, address string) (net.Conn, error)

// dialerFor gives the client that fits the server's frontend.
func dialerFor(t testing.TB, s *server) dialer {
	t.Helper()
	if s.spec.http {
		return connectDialer(t, s)
	}
	target, transport := frontendTarget(t, s)
	return func(ctx context.Context, address string) (net.Conn, error) {
		tunnel, err := konnectivity.CreateSingleUseGrpcTunnelWithContext(ctx, context.Background(), target,
			grpc.WithTransportCredentials(transport), grpc.WithNoProxy())
		if err != nil {
			return nil, err
		}
		return tunnel.DialContext(ctx, "tcp", address)
	}
}

// connectDialer speaks HTTP CONNECT; a refusal becomes a *refusal.
func connectDialer(t testing.TB, s *server) dialer {
	t.Helper()
	open := opener(t, s)
	return func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := open()
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
		tunnel, err := connect(conn, address)
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			conn.Close()
			return nil, err
		}
		return tunnel, nil
	}
}

// opener opens bare connections to the frontend, TLS included.
func opener(t testing.TB, s *server) func() (net.Conn, error) {
	t.Helper()
	if s.spec.unix {
		return func() (net.Conn, error) { return net.Dial("unix", s.frontend) }
	}
	config := s.spec.pki.frontend.clientTLS(t, "http/1.1")
	return func() (net.Conn, error) { return tls.Dial("tcp", s.frontend, config) }
}

// refusal is an answer to CONNECT other than 200.
type refusal struct {
	status string
	header string
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: %s", r.status, r.body) }

const established = "HTTP/1.1 200 Connection Established\r\n\r\n"

func connect(conn net.Conn, address string) (net.Conn, error) {
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", address); err != nil {
		return nil, err
	}
	return readEstablished(conn)
}

// readEstablished reads the answer to CONNECT and gives the tunnel behind it.
func readEstablished(conn net.Conn) (net.Conn, error) {
	reader := bufio.NewReader(conn)
	head, err := readHead(reader)
	if err != nil {
		return nil, err
	}
	if head == established {
		return &bufferedConn{conn, reader}, nil
	}
	body, _ := io.ReadAll(reader)
	status, header, _ := strings.Cut(head, "\r\n")
	return nil, &refusal{status, header, string(body)}
}

func readHead(reader *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := reader.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			return "", fmt.Errorf("answer to CONNECT breaks off after %q: %w", head.String(), err)
		}
		if line == "\r\n" {
			return head.String(), nil
		}
		if !strings.HasSuffix(line, "\r\n") || (head.Len() == len(line) && !strings.HasPrefix(line, "HTTP/1.")) {
			return "", fmt.Errorf("answer to CONNECT is not HTTP: %q", line)
		}
	}
}

type bufferedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// CloseWrite is the half-close of the transport: FIN, or close_notify and FIN.
func (c *bufferedConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// mustDial opens a tunnel or fails the test.
func mustDial(t testing.TB, dial dialer, address string) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := dial(ctx, address)
	if err != nil {
		t.Fatalf("dialing %s through the tunnel: %v", address, err)
	}
	t.Cleanup(func() { go conn.Close() }) // konnectivity's Close may wait 10 s, or for ever behind a Write
	return conn
}

// within runs a blocking step with a limit; konnectivity connections have no deadlines.
func within(limit time.Duration, what string, step func() error) error {
	done := make(chan error, 1)
	go func() { done <- step() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	case <-time.After(limit):
		return fmt.Errorf("%s: still waiting after %v", what, limit)
	}
}

// ping proves that a tunnel to an echo works in both directions.
func ping(conn net.Conn, text string) error {
	return within(patience, "echo", func() error {
		if _, err := io.WriteString(conn, text); err != nil {
			return err
		}
		return hear(conn, text)
	})
}

// hear wants to read exactly the text.
func hear(conn net.Conn, text string) error {
	return within(patience, "echo", func() error {
		echoed := make([]byte, len(text))
		if _, err := io.ReadFull(conn, echoed); err != nil {
			return err
		}
		if string(echoed) != text {
			return fmt.Errorf("%q came back as %q", text, echoed)
		}
		return nil
	})
}

func mustPing(t testing.TB, conn net.Conn, text string) {
	t.Helper()
	if err := ping(conn, text); err != nil {
		t.Fatal(err)
	}
}

// ended wants the tunnel to end without further bytes.
func ended(conn net.Conn) error {
	return within(patience, "end of the tunnel", func() error {
		n, err := conn.Read(make([]byte, 1))
		if n == 0 && err != nil {
			return nil
		}
		return errors.New("bytes instead of the end")
	})
}

func mustEnd(t testing.TB, conn net.Conn) {
	t.Helper()
	if err := ended(conn); err != nil {
		t.Fatal(err)
	}
}
