package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream/spdy"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
)

// runner runs a command in the pod over one kind of upgraded connection. exitCode is -1 if the command could not be run.
type runner func(ctx context.Context, config *rest.Config, command *url.URL, stdin io.Reader, stdout, stderr io.Writer) (exitCode int, err error)

func execInPod(ctx context.Context, opts *options) error {
	ctx, cancel := context.WithTimeout(ctx, opts.timeout)
	defer cancel()
	config, err := opts.tunneled()
	if err != nil {
		return err
	}
	runners := []struct {
		name string
		run  runner
	}{{"SPDY", runSPDY}, {"WebSocket", runWebSocket}}
	for _, r := range runners {
		if err := echoes(ctx, config, r.run); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if err := reportsFailure(ctx, config, r.run); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		fmt.Printf("ok exec: %s\n", r.name)
	}
	return nil
}

// echoes sends 4 MiB there and back at the same time.
func echoes(ctx context.Context, config *rest.Config, run runner) error {
	sent := make([]byte, 4<<20)
	rand.Read(sent)
	target, err := execURL(config, true, "cat")
	if err != nil {
		return err
	}
	var stdout, stderr bytes.Buffer
	code, err := run(ctx, config, target, bytes.NewReader(sent), &stdout, &stderr)
	if err != nil || code != 0 {
		return fmt.Errorf("cat: exit code %d, stderr %q: %v", code, stderr.String(), err)
	}
	if !bytes.Equal(stdout.Bytes(), sent) {
		return fmt.Errorf("cat returned %d bytes that differ from the %d sent", stdout.Len(), len(sent))
	}
	return nil
}

func reportsFailure(ctx context.Context, config *rest.Config, run runner) error {
	target, err := execURL(config, false, "sh", "-c", "echo out; echo err >&2; exit 7")
	if err != nil {
		return err
	}
	var stdout, stderr bytes.Buffer
	code, err := run(ctx, config, target, nil, &stdout, &stderr)
	if err != nil {
		return err
	}
	if code != 7 || stdout.String() != "out\n" || stderr.String() != "err\n" {
		return fmt.Errorf("got exit code %d, stdout %q, stderr %q; want 7, out, err", code, stdout.String(), stderr.String())
	}
	return nil
}

func execURL(config *rest.Config, stdin bool, command ...string) (*url.URL, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	options := &corev1.PodExecOptions{Container: containerName, Command: command, Stdin: stdin, Stdout: true, Stderr: true}
	return client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(defaultPod).
		SubResource("exec").VersionedParams(options, scheme.ParameterCodec).URL(), nil
}

// runSPDY is client-go's executor. Its stock transport ignores config.Dial, hence one of our own.
func runSPDY(ctx context.Context, config *rest.Config, command *url.URL, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	tlsConfig, err := rest.TLSConfigFor(config)
	if err != nil {
		return -1, err
	}
	transport, err := spdy.NewRoundTripperWithConfig(spdy.RoundTripperConfig{
		UpgradeTransport: &http.Transport{DialContext: config.Dial, TLSClientConfig: tlsConfig},
	})
	if err != nil {
		return -1, err
	}
	executor, err := remotecommand.NewSPDYExecutorForTransports(transport, transport, http.MethodPost, command)
	if err != nil {
		return -1, err
	}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: stderr})
	var exit utilexec.CodeExitError
	if errors.As(err, &exit) {
		return exit.Code, nil
	}
	return 0, err
}
