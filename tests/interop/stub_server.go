package interop

import (
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// stubServer is the agent-facing side of a proxy-server, played by the test: it accepts Connect streams of a real
// agent and lets the test say anything on them.
type stubServer struct {
	address string
	streams chan *accepted
	// greet answers the metadata of the next stream with response headers; nil sends the usual ones.
	greet func(grpc.ServerStream) error
	grpc  *grpc.Server

	mu    sync.Mutex
	conns []net.Conn
}

// remembering is a listener that tells the stub of each connection.
type remembering struct {
	net.Listener
	stub *stubServer
}

func (r remembering) Accept() (net.Conn, error) {
	conn, err := r.Listener.Accept()
	if err == nil {
		r.stub.mu.Lock()
		r.stub.conns = append(r.stub.conns, conn)
		r.stub.mu.Unlock()
	}
	return conn, err
}

// cut breaks every TCP connection made so far.
func (s *stubServer) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		conn.Close()
	}
	s.conns = nil
}

// accepted is one Connect stream; finish ends its RPC with OK.
type accepted struct {
	*rawStream
	metadata metadata.MD
	method   string
	done     chan struct{}
}

func (a *accepted) finish() { close(a.done) }

func newStubServer(t testing.TB, host string) *stubServer {
	t.Helper()
	return stubServerOn(t, hostPort(host, freePort(t)))
}

func stubServerOn(t testing.TB, address string) *stubServer {
	t.Helper()
	s := &stubServer{address: address, streams: make(chan *accepted, 100), greet: usualHeaders("stub")}
	s.grpc = grpc.NewServer(
		grpc.Creds(credentials.NewTLS(world.pki.cluster.serverTLS(t))), grpc.ForceServerCodec(bytesCodec{}),
		grpc.MaxSendMsgSize(bigMessage), grpc.MaxRecvMsgSize(bigMessage), grpc.UnknownServiceHandler(s.serve))
	go s.grpc.Serve(remembering{mustListen(t, address), s})
	t.Cleanup(s.grpc.Stop)
	return s
}

func usualHeaders(id string) func(grpc.ServerStream) error {
	return func(stream grpc.ServerStream) error {
		return stream.SendHeader(metadata.Pairs("serverid", id, "servercount", "1"))
	}
}

func (s *stubServer) serve(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	md, _ := metadata.FromIncomingContext(stream.Context())
	if err := s.greet(stream); err != nil {
		return err
	}
	a := &accepted{newRawStream(stream), md, method, make(chan struct{})}
	s.streams <- a
	select {
	case <-a.done:
		return nil
	case <-a.ended:
		return nil
	}
}

// accept waits for the next Connect stream of an agent.
func (s *stubServer) accept(t testing.TB) *accepted {
	t.Helper()
	var got *accepted
	err := within(patience, "Connect of an agent", func() error { got = <-s.streams; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// withAgent starts the program against a new stub and gives its stream.
func withAgent(t testing.TB, program peer, spec agentSpec) (*stubServer, *agent, *accepted) {
	t.Helper()
	s := newStubServer(t, "127.0.0.1")
	spec.address = s.address
	a := startAgent(t, program, nil, spec)
	return s, a, s.accept(t)
}

// opened dials the endpoint through the agent and gives the connection id.
func (a *accepted) opened(t testing.TB, random int64, address string) int64 {
	t.Helper()
	a.say(t, dialReq(random, address))
	response := a.hearsType(t, 1).GetDialResponse()
	if response.Random != random || response.Error != "" || response.ConnectID == 0 {
		t.Fatalf("dial of %s answered %v", address, response)
	}
	return response.ConnectID
}

// stillServes proves that the agent carries a new connection to an echo.
func (a *accepted) stillServes(t testing.TB, echoAddress string) {
	t.Helper()
	id := a.opened(t, 990, echoAddress)
	a.say(t, data(id, "alive"))
	if got := a.hearsData(t, id, 5); got != "alive" {
		t.Fatalf("echo of %q is %q", "alive", got)
	}
	a.say(t, closeReq(id))
	a.hears(t, closeRsp(id, ""))
}
