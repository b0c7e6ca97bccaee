package interop

import (
	"crypto/tls"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needPostQuantum skips programs of ours that are linked with a system's OpenSSL which has no such key exchange.
func needPostQuantum(t *testing.T, program peer) {
	t.Helper()
	if program.reference() {
		return
	}
	said, err := exec.Command(filepath.Join(filepath.Dir(program.path), "cluster-proxy"), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if version := string(said); strings.Contains(version, "OpenSSL 3.0.") {
		t.Skipf("%s has no X25519MLKEM768", strings.TrimSpace(version))
	}
}

// What is recorded today cannot be read by whoever breaks elliptic curves tomorrow.
func TestServerAgreesOnPostQuantumKeys(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		needPostQuantum(t, program)
		s := startServer(t, program, serverSpec{})
		for address, config := range map[string]*tls.Config{
			s.frontend: world.pki.frontend.clientTLS(t, "h2"), s.agents: world.pki.cluster.clientTLS(t, "h2"),
		} {
			conn, err := tls.Dial("tcp", address, config)
			if err != nil {
				t.Fatal(err)
			}
			if got := conn.ConnectionState().CurveID; got != tls.X25519MLKEM768 {
				t.Errorf("%s agrees on %v, want %v", address, got, tls.X25519MLKEM768)
			}
			conn.Close()
		}
	})
}

func TestAgentAgreesOnPostQuantumKeys(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		needPostQuantum(t, program)
		agreed := make(chan tls.CurveID, 100)
		config := world.pki.cluster.serverTLS(t)
		port := listen(t, "127.0.0.1", func(conn net.Conn) {
			secure := tls.Server(conn, config)
			if secure.Handshake() == nil {
				agreed <- secure.ConnectionState().CurveID
			}
		})
		startAgent(t, program, nil, agentSpec{address: port.address, noWait: true})
		if got := <-agreed; got != tls.X25519MLKEM768 {
			t.Errorf("agrees on %v, want %v", got, tls.X25519MLKEM768)
		}
	})
}

// Peers that know elliptic curves only are served as before.
func TestServerTakesClassicKeysToo(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{})
		for _, curve := range []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384} {
			config := world.pki.frontend.clientTLS(t, "h2")
			config.CurvePreferences = []tls.CurveID{curve}
			conn, err := tls.Dial("tcp", s.frontend, config)
			if err != nil {
				t.Errorf("%v: %v", curve, err)
				continue
			}
			if got := conn.ConnectionState().CurveID; got != curve {
				t.Errorf("agrees on %v, want %v", got, curve)
			}
			conn.Close()
		}
	})
}
