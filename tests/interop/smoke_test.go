package interop

import "testing"

// One byte each way through every frontend and every pairing.
func TestTunnelWorks(t *testing.T) {
	for _, front := range frontends {
		t.Run("client="+front.name, func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				s := startServer(t, pair.server, front.spec)
				startAgent(t, pair.agent, s, agentSpec{})
				conn := mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address)
				mustPing(t, conn, "hello through the tunnel")
			})
		})
	}
}
