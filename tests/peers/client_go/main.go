// Program client-go does to a real kube-apiserver, through a tunnel, what the reference's README shows: a client-go
// configuration whose Host is the cluster and whose Dial is the tunnel's DialContext. Every action checks its own result
// and ends with a line "ok ACTION: ..."; any difference ends the program with exit code 1.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

type options struct {
	tunnel     tunnelOptions
	kubeconfig string
	host       string
	largeBytes int
	timeout    time.Duration
	kubelet    kubeletOptions
	forward    forwardOptions
}

type action func(context.Context, *options) error

var actions = map[string]action{
	"namespaces": listNamespaces,
	"watch":      watchConfigMap,
	"large":      largeResponse,
	"exec":       execInPod,
	"all":        everyAction,
	"forward":    forwardConnections,
	"kubelet":    serveKubelet,
}

const usage = `usage: client-go [flags] ACTION

Actions through the tunnel (choose it by --proxy or --uds):
  namespaces   list the namespaces
  watch        see a ConfigMap being added, modified and deleted
  large        list ConfigMaps of --large-bytes in all, each compared with what was stored
  exec         run commands in a pod, by SPDY and by WebSocket: echo of stdin, stderr, exit code
  all          the four above
  forward      take connections and lead them to --forward-to until SIGTERM; prints where
Action beside the API server, without a tunnel:
  kubelet      register a node with one pod and serve its exec and port-forward until SIGTERM; prints "ready"

Flags:
`

func main() {
	opts, name := parse(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := actions[name](ctx, opts); err != nil {
		fmt.Fprintf(os.Stderr, "client-go %s: %v\n", name, err)
		os.Exit(1)
	}
}

func parse(args []string) (*options, string) {
	opts := &options{}
	flags := flag.NewFlagSet("client-go", flag.ExitOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage); flags.PrintDefaults() }
	opts.tunnel.addFlags(flags)
	opts.kubelet.addFlags(flags)
	opts.forward.addFlags(flags)
	flags.StringVar(&opts.kubeconfig, "kubeconfig", "", "credentials for the target API server")
	flags.StringVar(&opts.host, "host", "", "name or URL to dial in place of the kubeconfig's server; its certificate is still checked for the kubeconfig's name")
	flags.IntVar(&opts.largeBytes, "large-bytes", 8<<20, "payload of the action large")
	flags.DurationVar(&opts.timeout, "timeout", time.Minute, "limit for each action but forward and kubelet")
	flags.Parse(args)
	if _, known := actions[flags.Arg(0)]; !known || flags.NArg() != 1 {
		fmt.Fprintf(os.Stderr, "client-go: want exactly one action, got %q; see --help\n", strings.Join(flags.Args(), " "))
		os.Exit(2)
	}
	return opts, flags.Arg(0)
}

func everyAction(ctx context.Context, opts *options) error {
	for _, run := range []action{listNamespaces, watchConfigMap, largeResponse, execInPod} {
		if err := run(ctx, opts); err != nil {
			return err
		}
	}
	return nil
}
