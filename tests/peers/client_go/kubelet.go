package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"k8s.io/apimachinery/pkg/types"
	remotecommandconsts "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/tools/remotecommand"
	streaming "k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// kubeletOptions are those of the action kubelet: the part of a kubelet that answers exec and port-forward, with the
// kubelet's own streaming code. The "container" is the machine itself: commands run as children of this process, and the
// pod's ports are those of the loopback.
type kubeletOptions struct {
	address  string
	cert     string
	key      string
	ca       string
	node     string
	pod      string
	labels   string
	forwards targets
}

func (o *kubeletOptions) addFlags(flags *flag.FlagSet) {
	flags.StringVar(&o.address, "kubelet-address", "127.0.0.1", "IP at which the API server reaches the action kubelet")
	flags.StringVar(&o.cert, "kubelet-cert", "", "serving certificate of the action kubelet")
	flags.StringVar(&o.key, "kubelet-key", "", "key of --kubelet-cert")
	flags.StringVar(&o.ca, "kubelet-client-ca", "", "CA of the certificate that the API server shows to the action kubelet")
	flags.StringVar(&o.node, "node", defaultPod, "node that the action kubelet registers")
	flags.StringVar(&o.pod, "pod", namespace+"/"+defaultPod, "namespace and name of the node's pod; both are made if they are not there")
	flags.StringVar(&o.labels, "pod-labels", "", "labels of the pod, as key=value,key=value")
	o.forwards = targets{}
	flags.Var(o.forwards, "forward", "PORT=HOST:PORT: where port-forward to that port of the pod goes instead of to the loopback; may be repeated")
}

func serveKubelet(ctx context.Context, opts *options) error {
	listener, err := opts.kubelet.listen()
	if err != nil {
		return err
	}
	if err := registerPod(ctx, opts, listener.Addr().(*net.TCPAddr)); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", serveExec)
	mux.HandleFunc("/portForward/{namespace}/{pod}", servePortForward(opts.kubelet.forwards))
	server := &http.Server{Handler: mux}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	fmt.Println("ready")
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// listen takes a free port and demands a client certificate: exec without one would be a shell for everybody.
func (o *kubeletOptions) listen() (net.Listener, error) {
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return nil, fmt.Errorf("--kubelet-cert, --kubelet-key: %w", err)
	}
	pem, err := os.ReadFile(o.ca)
	if err != nil {
		return nil, fmt.Errorf("--kubelet-client-ca: %w", err)
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--kubelet-client-ca: no certificate in %s", o.ca)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"http/1.1"}}
	return tls.Listen("tcp", net.JoinHostPort(o.address, "0"), config)
}

func serveExec(w http.ResponseWriter, r *http.Request) {
	streams, err := streaming.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	const idle, creation = time.Minute, 30 * time.Second
	streaming.ServeExec(w, r, process{}, r.PathValue("pod"), "", r.PathValue("container"), r.URL.Query()["command"], streams,
		idle, creation, remotecommandconsts.SupportedStreamingProtocols)
}

// process implements streaming.Executor with plain child processes.
type process struct{}

func (process) ExecInContainer(ctx context.Context, _ string, _ types.UID, _ string, command []string, in io.Reader, out, err io.WriteCloser,
	_ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = in, out, err
	child.WaitDelay = time.Second // a client that leaves stdin open must not keep an ended command
	var exit *exec.ExitError
	if err := child.Run(); errors.As(err, &exit) {
		return utilexec.CodeExitError{Err: err, Code: exit.ExitCode()}
	} else {
		return err
	}
}
