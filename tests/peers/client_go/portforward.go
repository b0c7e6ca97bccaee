package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
)

// targets says where a port of the pod really is; a port that is not in it is that of the loopback. It is a flag that
// may be given several times.
type targets map[int32]string

func (t targets) String() string { return "" }

func (t targets) Set(value string) error {
	port, address, found := strings.Cut(value, "=")
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || !found {
		return fmt.Errorf("want PORT=HOST:PORT, as in 8091=127.0.0.1:18091")
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return err
	}
	t[int32(number)] = address
	return nil
}

func (t targets) address(port int32) string {
	if address, known := t[port]; known {
		return address
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))
}

func servePortForward(forwarder portforward.PortForwarder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		const idle, creation = 4 * time.Hour, 30 * time.Second // those of a kubelet
		portforward.ServePortForward(w, r, forwarder, r.PathValue("pod"), "", options, idle, creation, portforward.SupportedProtocols)
	}
}

// PortForward implements portforward.PortForwarder. Either side may end its direction and go on reading the other one;
// the target ending its own ends all.
func (t targets) PortForward(ctx context.Context, _ string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.address(port))
	if err != nil {
		return err
	}
	defer connection.Close()
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	go func() {
		io.Copy(connection, stream)
		connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}
