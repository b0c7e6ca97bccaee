package interop

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// The reference reads its files once; ours must take new ones without losing a connection.

// privatePKI is a trust of this test alone, whose files it may replace.
func privatePKI(t testing.TB) *pki {
	t.Helper()
	keys, err := newPKI(filepath.Join(t.TempDir(), "pki"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// reloadWindow is how long a program may take to notice new files; one that never does need not be waited for.
func reloadWindow(program peer) time.Duration {
	if program.reference() {
		return bugWindow
	}
	return 2 * patience
}

// presented gives the name in the certificate that a TLS port shows now.
func presented(t testing.TB, address string, config *tls.Config) (string, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func shows(t testing.TB, address string, config *tls.Config, want string) func() error {
	return func() error {
		got, err := presented(t, address, config)
		if err == nil && got != want {
			err = fmt.Errorf("shows the certificate of %q, want %q", got, want)
		}
		return err
	}
}

func TestReferenceBugServerKeepsOldCertificates(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		keys := privatePKI(t)
		s := startServer(t, pair.server, serverSpec{http: true, pki: keys})
		startAgent(t, pair.agent, s, agentSpec{pki: keys})
		target := listen(t, "127.0.0.1", echo).address
		conn := mustDial(t, dialerFor(t, s), target)
		mustPing(t, conn, "before")
		for _, a := range []*authority{keys.frontend, keys.cluster} {
			if err := a.issue("server", certTemplate("renewed")); err != nil {
				t.Fatal(err)
			}
		}
		referenceBug(t, pair.server, func() error {
			return errors.Join(
				poll(reloadWindow(pair.server), shows(t, s.frontend, keys.frontend.clientTLS(t, "http/1.1"), "renewed")),
				poll(reloadWindow(pair.server), shows(t, s.agents, keys.cluster.clientTLS(t, "h2"), "renewed")),
				ping(conn, "the old tunnel goes on"), dialWithin(dialerFor(t, s), target, patience))
		})
	})
}

// A new CA bundle: clients of the new authority come in, the old tunnel goes on.
func TestReferenceBugServerKeepsOldCA(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		keys, next := privatePKI(t), privatePKI(t)
		s := startServer(t, program, serverSpec{http: true, pki: keys})
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		agent.say(t, dialRsp(agent.hearsDial(t, "10.0.0.1:80"), 1, ""))
		if _, err := readEstablished(conn); err != nil {
			t.Fatal(err)
		}
		if err := writePEM(keys.frontend.caFile(), "CERTIFICATE", next.frontend.cert.Raw); err != nil {
			t.Fatal(err)
		}
		stranger := next.frontend.clientTLS(t, "http/1.1")
		stranger.RootCAs = x509.NewCertPool()
		stranger.RootCAs.AddCert(keys.frontend.cert)
		referenceBug(t, program, func() error {
			err := poll(reloadWindow(program), func() error { return answers(s.frontend, stranger) })
			conn.Write([]byte("old"))
			return errors.Join(err, agent.gets(data(1, "old")))
		})
	})
}

// answers wants an HTTP answer: a TLS 1.3 client learns of its rejection only when it reads.
func answers(address string, config *tls.Config) error {
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	_, err = conn.Read(make([]byte, 1))
	return err
}

// The agent's next connection uses the certificate that is on disk then.
func TestReferenceBugAgentKeepsOldCertificate(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		keys := privatePKI(t)
		s := startServer(t, world.servers[0], serverSpec{http: true, unix: true, pki: keys})
		startAgent(t, program, s, agentSpec{pki: keys})
		conn := mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address)
		next := privatePKI(t)
		// Both ends move to the new authority; only an agent that reads its files again can follow.
		keys.cluster.cert, keys.cluster.key = next.cluster.cert, next.cluster.key
		if err := writePEM(keys.cluster.caFile(), "CERTIFICATE", next.cluster.cert.Raw); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"server", "client"} {
			if err := keys.cluster.issue(name, certTemplate(name)); err != nil {
				t.Fatal(err)
			}
		}
		mustPing(t, conn, "the old tunnel goes on")
		s.kill()
		spec := s.spec
		spec.on = s
		again := startServer(t, world.servers[0], spec)
		referenceBug(t, program, func() error { return poll(reloadWindow(program), wantPage(again.health, "/readyz", 200, "ok")) })
	})
}
