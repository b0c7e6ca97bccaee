package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

type forwardOptions struct {
	listen string
	target string
}

func (o *forwardOptions) addFlags(flags *flag.FlagSet) {
	flags.StringVar(&o.listen, "forward-listen", "127.0.0.1:0", "where the action forward takes connections")
	flags.StringVar(&o.target, "forward-to", "", "host:port that the action forward dials through the tunnel")
}

// forwardConnections lets programs that know nothing of tunnels, as kubectl, go through one: whoever connects here is at the
// target. Prints its address, and runs until SIGTERM.
func forwardConnections(ctx context.Context, opts *options) error {
	dial, err := opts.tunnel.dialer()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", opts.forward.listen)
	if err != nil {
		return fmt.Errorf("--forward-listen: %w", err)
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	fmt.Println(listener.Addr())
	for {
		client, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go forward(client, dial, opts.forward.target)
	}
}

func forward(client net.Conn, dial dialFunc, target string) {
	defer client.Close()
	limit, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	far, err := dial(limit, "tcp", target)
	if err != nil {
		fmt.Fprintf(os.Stderr, "client-go forward: %s: %v\n", target, err)
		return
	}
	defer far.Close()
	go func() {
		io.Copy(far, client)
		far.Close() // a tunnel of konnectivity has no half-close
	}()
	io.Copy(client, far)
}
