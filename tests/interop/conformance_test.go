package interop

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

// h2spec, the conformance suite for HTTP/2 servers, at each of our ports that speak it.

// What h2spec wants otherwise, and why we do not; some of it only where we answer before the next frame comes.
const (
	over     = "RFC 9113, 5.1 leaves it open whether frames for streams that are over are errors; we ignore them"
	forgets  = "nobody remembers which streams are over, and this one could be"
	large    = "the frame is below the size that our SETTINGS allow"
	bodiless = "gRPC says what it does not know in headers alone"
)

var otherwise = map[string]string{
	"generic/2: Sends a WINDOW_UPDATE frame on half-closed (remote) stream":                                bodiless,
	"generic/2: Sends a PRIORITY frame on half-closed (remote) stream":                                     bodiless,
	"http2/4.2: Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE":                 large,
	"http2/5.1: half closed (remote): Sends a DATA frame":                                                  over,
	"http2/5.1: half closed (remote): Sends a HEADERS frame":                                               over,
	"http2/5.1: closed: Sends a DATA frame after sending RST_STREAM frame":                                 over,
	"http2/5.1: closed: Sends a HEADERS frame after sending RST_STREAM frame":                              over,
	"http2/5.1: closed: Sends a DATA frame":                                                                over,
	"http2/5.1: closed: Sends a HEADERS frame":                                                             over,
	"http2/6.1: Sends a DATA frame on the stream that is not in \"open\" or \"half-closed (local)\" state": over,
	"http2/5.1.1: Sends stream identifier that is numerically smaller than previous":                       forgets,
}

// inTheClear gives a port that leads to the address by TLS, for programs without client certificates.
func inTheClear(t testing.TB, address string, secure *tls.Config) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go join(conn, address, secure)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// join reads on after the server has gone: closing with bytes unread would take from the peer what the server said last.
func join(conn net.Conn, address string, secure *tls.Config) {
	defer conn.Close()
	server, err := tls.Dial("tcp", address, secure)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(conn, server)
		conn.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(server, conn)
	io.Copy(io.Discard, conn)
}

// attempt runs the case over a connection of its own.
func attempt(one *spec.TestCase, suite *config.Config) error {
	conn, err := spec.Dial(suite)
	if err != nil {
		return err
	}
	defer conn.Close()
	return one.Run(suite, conn)
}

// attempts of a case before it has failed. Many make a request and break it with a second write; on a busy machine our answer
// is complete between the two, and what comes for a stream that is over is no error (`over`).
const attempts = 4

// conforms runs all cases of a group and of those below it.
func conforms(t *testing.T, suite *config.Config, group *spec.TestGroup) {
	for _, one := range group.Tests {
		name := group.ID() + ": " + one.Desc
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reason, known := otherwise[name]
			suite := *suite
			if known {
				suite.Timeout = 2 * time.Second // what is ignored is waited for in vain
			}
			err := attempt(one, &suite)
			for left := attempts - 1; err != nil && !known && !errors.Is(err, spec.ErrSkipped) && left > 0; left-- {
				t.Logf("tried again: %v", err)
				err = attempt(one, &suite)
			}
			if errors.Is(err, spec.ErrSkipped) {
				t.Skip("asks for what this port does not offer")
			}
			if known && err != nil {
				t.Skip(reason)
			}
			if err != nil {
				t.Errorf("%s\n%v", one.Requirement, err)
			}
		})
	}
	for _, below := range group.Groups {
		conforms(t, suite, below)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, program := range world.servers {
		if program.reference() {
			continue
		}
		connect := startServer(t, program, serverSpec{http: true})
		grpc := startServer(t, program, serverSpec{})
		keys := connect.spec.pki
		ports := map[string]int{
			"http-connect": inTheClear(t, connect.frontend, keys.frontend.clientTLS(t, "h2")),
			"grpc":         inTheClear(t, grpc.frontend, keys.frontend.clientTLS(t, "h2")),
			"agents":       inTheClear(t, connect.agents, keys.cluster.clientTLS(t, "h2")),
		}
		for name, port := range ports {
			suite := &config.Config{Host: "127.0.0.1", Port: port, Path: "/", Timeout: patience, MaxHeaderLen: 4000}
			t.Run("server="+program.name+"/port="+name, func(t *testing.T) {
				for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
					conforms(t, suite, group)
				}
			})
		}
	}
}
