package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/rest"
)

const maxMessage = 32 << 10

// runWebSocket speaks v5.channel.k8s.io itself: client-go's WebSocket executor cannot be given a dialer.
// Each message begins with its channel number.
func runWebSocket(ctx context.Context, config *rest.Config, command *url.URL, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	tlsConfig, err := rest.TLSConfigFor(config)
	if err != nil {
		return -1, err
	}
	dialer := websocket.Dialer{
		NetDialContext:  ignoreDeadlines(config.Dial),
		TLSClientConfig: tlsConfig,
		Subprotocols:    []string{remotecommand.StreamProtocolV5Name},
		WriteBufferSize: maxMessage + 1024, // a message in several frames is several messages to the API server
	}
	target := *command
	target.Scheme = "wss"
	conn, _, err := dialer.DialContext(ctx, target.String(), nil)
	if err != nil {
		return -1, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	sent := make(chan error, 1)
	go func() { sent <- sendStdin(conn, stdin) }()
	code, err := receiveOutput(conn, stdout, stderr)
	if err != nil {
		return -1, err
	}
	return code, <-sent
}

// withoutDeadlines is a connection whose deadlines are ignored: those of the konnectivity client refuse to have any, and
// the dialer insists on setting some. The context ends the connection in time instead.
type withoutDeadlines struct{ net.Conn }

func (withoutDeadlines) SetDeadline(time.Time) error      { return nil }
func (withoutDeadlines) SetReadDeadline(time.Time) error  { return nil }
func (withoutDeadlines) SetWriteDeadline(time.Time) error { return nil }

func ignoreDeadlines(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return withoutDeadlines{conn}, nil
	}
}

func sendStdin(conn *websocket.Conn, stdin io.Reader) error {
	if stdin == nil {
		return nil
	}
	message := make([]byte, maxMessage)
	message[0] = remotecommand.StreamStdIn
	for {
		n, err := stdin.Read(message[1:])
		if n > 0 {
			if err := conn.WriteMessage(websocket.BinaryMessage, message[:1+n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return conn.WriteMessage(websocket.BinaryMessage, []byte{remotecommand.StreamClose, remotecommand.StreamStdIn})
		}
		if err != nil {
			return err
		}
	}
}

// receiveOutput returns the command's exit code, which comes as a Status on the error channel.
func receiveOutput(conn *websocket.Conn, stdout, stderr io.Writer) (int, error) {
	for {
		_, message, err := conn.ReadMessage()
		if err != nil {
			return -1, fmt.Errorf("the connection ended without a status: %w", err)
		}
		if len(message) == 0 {
			return -1, errors.New("got a message without a channel number")
		}
		switch channel, data := message[0], message[1:]; channel {
		case remotecommand.StreamStdOut:
			stdout.Write(data)
		case remotecommand.StreamStdErr:
			stderr.Write(data)
		case remotecommand.StreamErr:
			return exitCode(data)
		}
	}
}

func exitCode(data []byte) (int, error) {
	var status metav1.Status
	if err := json.Unmarshal(data, &status); err != nil {
		return -1, fmt.Errorf("status %q: %w", data, err)
	}
	if status.Status == metav1.StatusSuccess {
		return 0, nil
	}
	if status.Details != nil {
		for _, cause := range status.Details.Causes {
			if cause.Type == remotecommand.ExitCodeCauseType {
				return strconv.Atoi(cause.Message)
			}
		}
	}
	return -1, errors.New(status.Message)
}
