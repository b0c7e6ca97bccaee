package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// dialsKeepWorking wants new tunnels within two seconds each, for a while.
func dialsKeepWorking(dial dialer, target string) error {
	for range 8 {
		if err := dialWithin(dial, target, 2*time.Second); err != nil {
			return err
		}
		time.Sleep(200 * time.Millisecond) // the stall grows meanwhile
	}
	return nil
}

// One HTTP client that stops reading must not stop the others of the same agent.
func TestReferenceBugStalledHTTPClient(t *testing.T) {
	for _, front := range frontends[2:] {
		t.Run("client="+front.name, func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				s := startServer(t, pair.server, front.spec)
				startAgent(t, pair.agent, s, agentSpec{})
				dial := dialerFor(t, s)
				bystander := mustDial(t, dial, listen(t, "127.0.0.1", echo).address)
				stalls := mustDial(t, dial, listen(t, "127.0.0.1", source).address)
				io.WriteString(stalls, "!") // and nobody reads what comes now
				referenceBug(t, pair.server, func() error {
					if err := dialsKeepWorking(dial, listen(t, "127.0.0.1", echo).address); err != nil {
						return err
					}
					return ping(bystander, "still here")
				})
			})
		})
	}
}

// One gRPC client that stops reading must not stop the others either.
func TestReferenceBugStalledGRPCClient(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{unix: true})
		startAgent(t, pair.agent, s, agentSpec{})
		stallClient(t, s, listen(t, "127.0.0.1", source).address)
		referenceBug(t, pair.server, func() error {
			return dialsKeepWorking(dialerFor(t, s), listen(t, "127.0.0.1", echo).address)
		})
	})
}

// stallClient opens a tunnel and then never takes another message from its stream.
func stallClient(t testing.TB, s *server, address string) {
	t.Helper()
	target, transport := frontendTarget(t, s)
	conn, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(transport), bytesBothWays)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := conn.NewStream(context.Background(), both, "/ProxyService/Proxy")
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	if err := errors.Join(stream.SendMsg(encode(dialReq(1, address))), stream.RecvMsg(&raw)); err != nil {
		t.Fatal(err)
	}
	response := new(pb.Packet)
	if err := proto.Unmarshal(raw, response); err != nil || response.GetDialResponse().GetConnectID() == 0 {
		t.Fatalf("dial answered %s (%v)", show(response), err)
	}
	if err := stream.SendMsg(encode(data(response.GetDialResponse().ConnectID, "!"))); err != nil {
		t.Fatal(err)
	}
}

// One endpoint that stops reading must not stop the agent's other connections.
func TestReferenceBugStalledEndpoint(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		_, _, stream := withAgent(t, program, agentSpec{})
		echoing := listen(t, "127.0.0.1", echo).address
		bystander := stream.opened(t, 1, echoing)
		stuck := stream.opened(t, 2, stalled(t).address)
		flooded := make(chan struct{})
		go func() { // blocks for ever if the agent stops reading
			defer close(flooded)
			for range 600 {
				if stream.SendMsg(encode(data(stuck, strings.Repeat("s", 64<<10)))) != nil {
					return
				}
			}
		}()
		referenceBug(t, program, func() error {
			select {
			case <-flooded:
			case <-time.After(patience):
				return errors.New("the agent stopped reading its stream")
			}
			stream.say(t, dialReq(3, echoing), data(bystander, "still here"))
			return answered(stream, bystander, stuck)
		})
	})
}

// answered wants the dial response and the bystander's echo; the stuck connection may be closed with a reason.
func answered(stream *accepted, bystander, stuck int64) error {
	var dialed, echoed bool
	for !dialed || !echoed {
		packet, err := stream.next(bugWindow)
		if err != nil {
			return err
		}
		switch packet.Type {
		case pb.PacketType_DIAL_RSP:
			dialed = packet.GetDialResponse().Error == ""
		case pb.PacketType_DATA:
			echoed = packet.GetData().ConnectID == bystander
		case pb.PacketType_CLOSE_RSP:
			if got := packet.GetCloseResponse(); got.ConnectID != stuck || got.Error == "" {
				return fmt.Errorf("received %s", show(packet))
			}
		}
	}
	return nil
}

// A stalled endpoint behind a whole pair: the client's side of it, any frontend.
func TestReferenceBugStalledEndpointOfAPair(t *testing.T) {
	for _, front := range frontends {
		t.Run("client="+front.name, func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				s := startServer(t, pair.server, front.spec)
				startAgent(t, pair.agent, s, agentSpec{})
				dial := dialerFor(t, s)
				stuck := mustDial(t, dial, stalled(t).address)
				go io.CopyBuffer(struct{ io.Writer }{stuck}, endless{}, make([]byte, 64<<10))
				referenceBug(t, pair.agent, func() error {
					time.Sleep(time.Second) // let the flood fill every buffer on the way
					return dialsKeepWorking(dial, listen(t, "127.0.0.1", echo).address)
				})
			})
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// Slow is not stalled: a reader that makes progress gets every byte, at either end.
func TestSlowReadersGetEverything(t *testing.T) {
	for _, front := range frontends {
		t.Run("client="+front.name, func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				s := startServer(t, pair.server, front.spec)
				startAgent(t, pair.agent, s, agentSpec{})
				const size = 8 << 20
				seed := rand.Uint64()
				uploaded := make(chan error, 1)
				upload := listen(t, "127.0.0.1", func(conn net.Conn) { uploaded <- verify(conn, seed, size, sip) })
				download := listen(t, "127.0.0.1", func(conn net.Conn) {
					io.ReadFull(conn, make([]byte, 1))
					produce(conn, seed, size)
				})
				dial := dialerFor(t, s)
				up, down := mustDial(t, dial, upload.address), mustDial(t, dial, download.address)
				go produce(up, seed, size)
				down.Write([]byte("!"))
				downloaded := within(90*time.Second, "download", func() error { return verify(down, seed, size, sip) })
				if err := errors.Join(downloaded, within(90*time.Second, "upload", func() error { return <-uploaded })); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// sip makes a reader of some 15 MB/s, far slower than its sender.
func sip() { time.Sleep(2 * time.Millisecond) }
