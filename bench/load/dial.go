package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	konnectivity "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/pkg/client"
)

// tunnel is a connection to a service of the target; all of net.Conn that the cases need.
type tunnel interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	Close() error
}

// dialer opens tunnels. It is safe for use by several goroutines.
type dialer func(ctx context.Context) (tunnel, error)

// route says how a client reaches the target.
type route struct {
	via   string // one of ways
	front string // host:port, or the path of a Unix socket
	to    string // the target's address as the far end dials it
	identity
}

type identity struct{ ca, cert, key string }

var ways = map[string]func(route) (dialer, error){
	"tcp":          func(r route) (dialer, error) { return bare("tcp", r), nil },
	"unix":         func(r route) (dialer, error) { return bare("unix", r), nil },
	"connect-unix": func(r route) (dialer, error) { return connecting(bare("unix", r), r.to), nil },
	"connect-tls":  dialConnectTLS,
	"connect-h2":   dialConnectH2,
	"grpc-unix":    dialGRPCUnix,
	"grpc-tls":     dialGRPCTLS,
}

func (r route) dialer() (dialer, error) {
	way := ways[r.via]
	if way == nil {
		return nil, fmt.Errorf("no way called %q", r.via)
	}
	return way(r)
}

// writeSize: the Go client makes one message of each write, and 4 MiB is the most that a peer takes.
func (r route) writeSize() int {
	if strings.HasPrefix(r.via, "grpc-") {
		return 64 << 10
	}
	return bulkSize
}

func bare(network string, r route) dialer {
	return func(ctx context.Context) (tunnel, error) {
		return (&net.Dialer{}).DialContext(ctx, network, r.front)
	}
}

func dialConnectTLS(r route) (dialer, error) {
	config, err := r.tlsConfig("http/1.1")
	if err != nil {
		return nil, err
	}
	secure := func(ctx context.Context) (tunnel, error) {
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", r.front)
	}
	return connecting(secure, r.to), nil
}

// connecting sends a CONNECT on each new connection.
func connecting(open dialer, to string) dialer {
	return func(ctx context.Context) (tunnel, error) {
		conn, err := open(ctx)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		defer stop()
		if err := connect(conn, to); err != nil {
			conn.Close()
			return nil, errors.Join(err, ctx.Err())
		}
		return conn, nil
	}
}

func connect(conn tunnel, to string) error {
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", to, to); err != nil {
		return err
	}
	head := make([]byte, 0, 1024)
	for {
		n, err := conn.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		text := string(head)
		switch {
		case strings.HasPrefix(text, "HTTP/1.1 200 ") && strings.HasSuffix(text, "\r\n\r\n"):
			return nil
		case err != nil || len(head) == cap(head):
			return fmt.Errorf("CONNECT %s was answered with %q: %v", to, text, err)
		}
	}
}

func dialGRPCUnix(r route) (dialer, error) {
	return singleUse("unix:"+r.front, insecure.NewCredentials(), r.to), nil
}

func dialGRPCTLS(r route) (dialer, error) {
	config, err := r.tlsConfig("h2")
	if err != nil {
		return nil, err
	}
	return singleUse(r.front, credentials.NewTLS(config), r.to), nil
}

// singleUse opens a gRPC connection for each tunnel, as kube-apiserver does.
func singleUse(front string, transport credentials.TransportCredentials, to string) dialer {
	return func(ctx context.Context) (tunnel, error) {
		opened, err := konnectivity.CreateSingleUseGrpcTunnelWithContext(ctx, context.Background(), front,
			grpc.WithTransportCredentials(transport), grpc.WithNoProxy())
		if err != nil {
			return nil, err
		}
		return opened.DialContext(ctx, "tcp", to)
	}
}

func (i identity) tlsConfig(protocols ...string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(i.cert, i.key)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(i.ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", i.ca)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: "localhost",
		NextProtos: protocols, MinVersion: tls.VersionTLS13}, nil
}

// openService dials and asks the target for a service.
func openService(ctx context.Context, dial dialer, service byte) (tunnel, error) {
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte{service}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// dialAll opens n tunnels, one after another, and leaves them silent.
func dialAll(dial dialer, n int) ([]tunnel, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tunnels := make([]tunnel, 0, n)
	for len(tunnels) < n {
		conn, err := dial(ctx)
		if err != nil {
			return nil, fmt.Errorf("tunnel %d of %d: %w", len(tunnels)+1, n, err)
		}
		tunnels = append(tunnels, conn)
	}
	return tunnels, nil
}
