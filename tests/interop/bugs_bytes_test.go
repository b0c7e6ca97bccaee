package interop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

// A client may write and close at once; what the agent accepted has to reach the endpoint.
func TestReferenceBugLostTail(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		const blocks, size = 100, 32 << 10
		_, _, stream := withAgent(t, program, agentSpec{})
		total := make(chan int64, 1)
		target := listen(t, "127.0.0.1", func(conn net.Conn) {
			time.Sleep(50 * time.Millisecond) // an endpoint that is a little late
			n, _ := io.Copy(io.Discard, conn)
			total <- n
		})
		id := stream.opened(t, 1, target.address)
		for range blocks {
			stream.say(t, data(id, strings.Repeat("t", size)))
		}
		stream.say(t, closeReq(id))
		referenceBug(t, program, func() error {
			return within(patience, "endpoint", func() error {
				if got := <-total; got != blocks*size {
					return fmt.Errorf("the endpoint received %d of %d bytes", got, blocks*size)
				}
				return nil
			})
		})
	})
}

// A client that shuts down its writing side still wants the answer.
func TestReferenceBugHalfClose(t *testing.T) {
	for _, front := range frontends[2:] {
		t.Run("client="+front.name, func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				s := startServer(t, pair.server, front.spec)
				startAgent(t, pair.agent, s, agentSpec{})
				const answer = 1 << 20
				target := listen(t, "127.0.0.1", func(conn net.Conn) {
					bufio.NewReader(conn).ReadString('\n')
					time.Sleep(50 * time.Millisecond) // the time a server needs to think
					io.WriteString(conn, strings.Repeat("a", answer))
				})
				conn := mustDial(t, dialerFor(t, s), target.address)
				io.WriteString(conn, "question\n")
				if err := conn.(*bufferedConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
				referenceBug(t, pair.server, func() error {
					return within(patience, "answer", func() error {
						got, err := io.Copy(io.Discard, conn)
						if got != answer {
							return fmt.Errorf("%d of %d bytes arrived: %v", got, answer, err)
						}
						return nil
					})
				})
			})
		})
	}
}

// A reset of the endpoint is not a clean end: the CLOSE_RSP has a field for that.
func TestReferenceBugHiddenReset(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		_, _, stream := withAgent(t, program, agentSpec{})
		id := stream.opened(t, 1, listen(t, "127.0.0.1", resetter).address)
		stream.say(t, data(id, "x"))
		response := stream.hearsType(t, pb.PacketType_CLOSE_RSP).GetCloseResponse()
		referenceBug(t, program, func() error {
			if response.ConnectID != id || response.Error == "" {
				return fmt.Errorf("a reset was reported as %v", response)
			}
			return nil
		})
	})
}

// Clients only ever say tcp; other networks would reach sockets of the agent's own machine.
func TestReferenceBugForeignNetworks(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		path := filepath.Join(shortTempDir(t), "private.sock")
		private, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer private.Close()
		_, _, stream := withAgent(t, program, agentSpec{})
		referenceBug(t, program, func() error {
			for network, address := range map[string]string{"unix": path, "udp": "127.0.0.1:53"} {
				request := dialReq(9, address)
				request.GetDialRequest().Protocol = network
				stream.say(t, request)
				response := stream.hearsType(t, pb.PacketType_DIAL_RSP).GetDialResponse()
				if response.Error == "" || response.Random != 9 {
					return fmt.Errorf("dial of %s %s answered %v", network, address, response)
				}
			}
			return nil
		})
	})
}
