package interop

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// bytesCodec passes message bytes through untouched, so that a stub can say anything.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (bytesCodec) Unmarshal(raw []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), raw...)
	return nil
}
func (bytesCodec) Name() string { return "" }

// messages is either end of a gRPC stream.
type messages interface {
	Context() context.Context
	SendMsg(any) error
	RecvMsg(any) error
}

// rawStream is a peer of one packet stream, free to break every rule.
type rawStream struct {
	messages
	received chan *pb.Packet
	ended    chan struct{}
	reason   error // valid once ended is closed
}

// newRawStream reads in the background for ever; unread packets wait without limit.
func newRawStream(m messages) *rawStream {
	s := &rawStream{messages: m, received: make(chan *pb.Packet, 1<<16), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		for {
			var raw []byte
			if s.reason = m.RecvMsg(&raw); s.reason != nil {
				return
			}
			packet := new(pb.Packet)
			if s.reason = proto.Unmarshal(raw, packet); s.reason != nil {
				return
			}
			s.received <- packet
		}
	}()
	return s
}

// say sends packets; a stream that is gone fails the test.
func (s *rawStream) say(t testing.TB, packets ...*pb.Packet) {
	t.Helper()
	for _, packet := range packets {
		if err := s.SendMsg(encode(packet)); err != nil {
			t.Fatalf("sending %s: %v", show(packet), err)
		}
	}
}

// next gives the next packet or why there is none.
func (s *rawStream) next(limit time.Duration) (*pb.Packet, error) {
	select {
	case packet := <-s.received:
		return packet, nil
	default:
	}
	select {
	case packet := <-s.received:
		return packet, nil
	case <-s.ended:
		return nil, fmt.Errorf("stream ended: %w", s.reason)
	case <-time.After(limit):
		return nil, fmt.Errorf("no packet within %v: %w", limit, errTimeout)
	}
}

// hears wants exactly these packets next.
func (s *rawStream) hears(t testing.TB, wanted ...*pb.Packet) {
	t.Helper()
	for _, want := range wanted {
		got, err := s.next(patience)
		if err != nil {
			t.Fatalf("waiting for %s: %v", show(want), err)
		}
		if !proto.Equal(got, want) {
			t.Fatalf("received %s, want %s", show(got), show(want))
		}
	}
}

// hearsType wants a packet of this type next, whatever its fields.
func (s *rawStream) hearsType(t testing.TB, want pb.PacketType) *pb.Packet {
	t.Helper()
	got, err := s.next(patience)
	if err != nil {
		t.Fatalf("waiting for %v: %v", want, err)
	}
	if got.Type != want {
		t.Fatalf("received %s, want %v", show(got), want)
	}
	return got
}

// hearsData collects DATA of the connection until it has n bytes; senders may split and merge.
func (s *rawStream) hearsData(t testing.TB, id int64, n int) string {
	t.Helper()
	var all []byte
	for len(all) < n {
		packet := s.hearsType(t, pb.PacketType_DATA).GetData()
		if packet.ConnectID != id || len(packet.Data) == 0 {
			t.Fatalf("received DATA of connection %d with %d bytes, want some of %d", packet.ConnectID, len(packet.Data), id)
		}
		all = append(all, packet.Data...)
	}
	return string(all)
}

// A wrong answer comes at once on loopback; that long without one counts as silence.
const silence = 300 * time.Millisecond

// hearsNothing wants silence; the packet kinds named are tolerated.
func (s *rawStream) hearsNothing(t testing.TB, tolerated ...pb.PacketType) {
	t.Helper()
	deadline := time.Now().Add(silence)
next:
	for {
		packet, err := s.next(time.Until(deadline))
		if errors.Is(err, errTimeout) {
			return
		}
		if err != nil {
			t.Fatalf("wanted an open and silent stream: %v", err)
		}
		for _, kind := range tolerated {
			if packet.Type == kind {
				continue next
			}
		}
		t.Fatalf("received %s, want silence", show(packet))
	}
}

// endsWith wants the stream to end with this status.
func (s *rawStream) endsWith(t testing.TB, want codes.Code) {
	t.Helper()
	select {
	case <-s.ended:
		if got := status.Code(s.reason); got != want {
			t.Fatalf("stream ended with %v (%v), want %v", got, s.reason, want)
		}
	case <-time.After(patience):
		t.Fatalf("stream still open after %v, want its end with %v", patience, want)
	}
}

// caller is a raw stream that we opened.
type caller struct {
	*rawStream
	client grpc.ClientStream
	conn   *grpc.ClientConn
	cancel context.CancelFunc
}

// vanish drops the connection without a word.
func (c *caller) vanish() { c.conn.Close() }

const bigMessage = 1 << 28

var bytesBothWays = grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{}), grpc.MaxCallSendMsgSize(bigMessage), grpc.MaxCallRecvMsgSize(bigMessage))

// call opens a stream of the method on a new connection.
func call(t testing.TB, target, method string, transport credentials.TransportCredentials, pairs ...string) *caller {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(transport), bytesBothWays, grpc.WithNoProxy())
	if err != nil {
		t.Fatal(err)
	}
	return callOn(t, conn, method, pairs...)
}

// callOn opens a further stream on the connection.
func callOn(t testing.TB, conn *grpc.ClientConn, method string, pairs ...string) *caller {
	t.Helper()
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(context.Background(), pairs...))
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := conn.NewStream(ctx, both, method, grpc.WaitForReady(true))
	if err != nil {
		t.Fatalf("opening %s: %v", method, err)
	}
	t.Cleanup(func() { cancel(); conn.Close() })
	return &caller{newRawStream(stream), stream, conn, cancel}
}

// rawClient speaks on the frontend of the server.
func rawClient(t testing.TB, s *server) *caller {
	t.Helper()
	target, transport := frontendTarget(t, s)
	return call(t, target, "/ProxyService/Proxy", transport)
}

func frontendTarget(t testing.TB, s *server) (string, credentials.TransportCredentials) {
	t.Helper()
	if s.spec.unix {
		return "unix:" + s.frontend, insecure.NewCredentials()
	}
	return s.frontend, credentials.NewTLS(s.spec.pki.frontend.clientTLS(t))
}

// rawAgent connects to the agent port and waits until the server knows it.
func rawAgent(t testing.TB, s *server, id string, pairs ...string) *caller {
	t.Helper()
	before := backends(s)
	agent := rawAgentUnheard(t, s, append([]string{"agentid", id}, pairs...)...)
	header, err := agent.client.Header()
	if err != nil || len(header.Get("serverid")) != 1 {
		t.Fatalf("response header of Connect: %v, %v", header, err)
	}
	eventually(t, "server knows the agent", patience, func() error {
		if now := backends(s); now <= before && before == 0 {
			return fmt.Errorf("%v Connect streams", now)
		}
		return wantPage(s.health, "/readyz", 200, "ok")()
	})
	return agent
}

// rawAgentUnheard opens Connect with exactly this metadata and waits for nothing.
func rawAgentUnheard(t testing.TB, s *server, pairs ...string) *caller {
	t.Helper()
	transport := credentials.NewTLS(s.spec.pki.cluster.clientTLS(t))
	return call(t, s.agents, "/AgentService/Connect", transport, pairs...)
}

func backends(s *server) float64 {
	value, _ := scrape(s.health).value(serverPrefix+"grpc_connections", "service_method", "Connect")
	return value
}
