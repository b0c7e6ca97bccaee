package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	konnectivity "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/pkg/client"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// tunnelOptions say how to reach the frontend of a proxy server.
type tunnelOptions struct {
	mode       string
	proxy      string
	uds        string
	ca         string
	cert       string
	key        string
	serverName string
}

func (o *tunnelOptions) addFlags(flags *flag.FlagSet) {
	flags.StringVar(&o.mode, "mode", "grpc", "the server's mode: grpc or http-connect")
	flags.StringVar(&o.proxy, "proxy", "", "host:port of the frontend, spoken to with TLS")
	flags.StringVar(&o.uds, "uds", "", "path of the frontend's Unix socket, spoken to in plaintext")
	flags.StringVar(&o.ca, "ca", "", "CA of the frontend's certificate")
	flags.StringVar(&o.cert, "cert", "", "client certificate for the frontend")
	flags.StringVar(&o.key, "key", "", "key of --cert")
	flags.StringVar(&o.serverName, "server-name", "", "name to check the frontend's certificate for; that of --proxy by default")
}

// dialer returns a function that makes every connection through a tunnel of its own, as kube-apiserver does.
func (o *tunnelOptions) dialer() (dialFunc, error) {
	if (o.proxy == "") == (o.uds == "") {
		return nil, errors.New("give the frontend's address, either by --proxy or by --uds")
	}
	var config *tls.Config
	if o.proxy != "" {
		var err error
		if config, err = o.tlsConfig(); err != nil {
			return nil, err
		}
	}
	switch o.mode {
	case "grpc":
		return o.dialGRPC(config), nil
	case "http-connect":
		return o.dialHTTPConnect(config), nil
	}
	return nil, fmt.Errorf("--mode is %q: must be grpc or http-connect", o.mode)
}

func (o *tunnelOptions) tlsConfig() (*tls.Config, error) {
	pem, err := os.ReadFile(o.ca)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca: no certificate in %s", o.ca)
	}
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return nil, fmt.Errorf("--cert, --key: %w", err)
	}
	host, _, err := net.SplitHostPort(o.proxy)
	if err != nil {
		return nil, fmt.Errorf("--proxy: %w", err)
	}
	if o.serverName != "" {
		host = o.serverName
	}
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: host, MinVersion: tls.VersionTLS12}, nil
}

func (o *tunnelOptions) dialGRPC(config *tls.Config) dialFunc {
	target, transport := o.proxy, grpc.WithTransportCredentials(credentials.NewTLS(config))
	if o.uds != "" {
		target, transport = "unix://"+o.uds, grpc.WithTransportCredentials(insecure.NewCredentials())
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		// The tunnel must outlive the context of the request that happened to open the connection.
		tunnel, err := konnectivity.CreateSingleUseGrpcTunnelWithContext(ctx, context.Background(), target, transport)
		if err != nil {
			return nil, fmt.Errorf("tunnel to %s: %w", target, err)
		}
		return tunnel.DialContext(ctx, network, address)
	}
}

func (o *tunnelOptions) dialHTTPConnect(config *tls.Config) dialFunc {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		conn, err := o.dialFrontend(ctx, config)
		if err != nil {
			return nil, err
		}
		if err := connect(conn, address); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

func (o *tunnelOptions) dialFrontend(ctx context.Context, config *tls.Config) (net.Conn, error) {
	if o.uds != "" {
		return (&net.Dialer{}).DialContext(ctx, "unix", o.uds)
	}
	config = config.Clone()
	config.NextProtos = []string{"http/1.1"}
	return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", o.proxy)
}

func connect(conn net.Conn, address string) error {
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", address); err != nil {
		return err
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return fmt.Errorf("CONNECT %s: %w", address, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("CONNECT %s: %s", address, response.Status)
	}
	if reader.Buffered() > 0 { // kube-apiserver refuses that too
		return fmt.Errorf("CONNECT %s: %d bytes came in one piece with the response head", address, reader.Buffered())
	}
	return nil
}
