package interop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What is wrong with certificates shows while the programs run: both logs name it and the way out, and whoever is
// connected stays so.

// neighbour is somebody with good keys, whose tunnel must go on whatever happens to others.
type neighbour struct {
	keys   *pki
	server *server
	target string
	conn   net.Conn
}

func startNeighbour(t testing.TB, server, agent peer, spec serverSpec) *neighbour {
	t.Helper()
	n := &neighbour{keys: privatePKI(t), target: listen(t, "127.0.0.1", echo).address}
	spec.pki = n.keys
	n.server = startServer(t, server, spec)
	startAgent(t, agent, n.server, agentSpec{id: "neighbour", pki: n.keys})
	n.conn = mustDial(t, dialerFor(t, n.server), n.target)
	mustPing(t, n.conn, "before")
	return n
}

func (n *neighbour) mustBeUnhurt(t testing.TB) {
	t.Helper()
	mustPing(t, n.conn, "the tunnel that was there")
	mustPing(t, mustDial(t, dialerFor(t, n.server), n.target), "a new tunnel of the same agent")
}

func expired(name string) *x509.Certificate {
	template := certTemplate(name)
	template.NotBefore, template.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	return template
}

func forOther(name string) *x509.Certificate {
	template := certTemplate(name)
	template.DNSNames, template.IPAddresses = []string{"other.example"}, nil
	return template
}

// visitor makes the files of an agent that trusts one authority and is vouched for by another.
func visitor(t testing.TB, trusts, vouches *authority, template *x509.Certificate) *pki {
	t.Helper()
	files := &authority{directory: t.TempDir(), cert: vouches.cert, key: vouches.key}
	if err := writePEM(files.caFile(), "CERTIFICATE", trusts.cert.Raw); err != nil {
		t.Fatal(err)
	}
	if err := files.issue("client", template); err != nil {
		t.Fatal(err)
	}
	return &pki{cluster: files}
}

// badKeys is an agent that cannot connect, and what both sides must say of it.
type badKeys struct {
	server     func(name string) *x509.Certificate // the server's new certificate; nil = it stays
	agent      func(t testing.TB, own, stranger *authority) *pki
	serverSays []string
	agentSays  []string
	goHides    bool // a Go agent sends one alert for all that it dislikes in a certificate
}

func (c badKeys) serverWords(agent peer) []string {
	if c.goHides && agent.reference() {
		return []string{"of=agent", "the peer refused our certificate, and its log says why: out of date"}
	}
	return c.serverSays
}

func good(t testing.TB, own, _ *authority) *pki { return visitor(t, own, own, certTemplate("visitor")) }

var badAgentKeys = map[string]badKeys{
	"agent expired": {
		agent:      func(t testing.TB, own, _ *authority) *pki { return visitor(t, own, own, expired("visitor")) },
		serverSays: []string{"of=agent", "from=127.0.0.1:", "certificate has expired", "must renew it"},
		agentSays:  []string{"cannot connect to server", "the peer refused our certificate: expired; renew it"},
	},
	"agent of another authority": {
		agent: func(t testing.TB, own, stranger *authority) *pki {
			return visitor(t, own, stranger, certTemplate("visitor"))
		},
		serverSays: []string{"of=agent", "its authority is not in our CA file; check that file"},
		agentSays:  []string{"cannot connect to server", "the peer does not trust the authority of our certificate"},
	},
	"server of another authority": {
		agent: func(t testing.TB, own, stranger *authority) *pki {
			return visitor(t, stranger, own, certTemplate("visitor"))
		},
		serverSays: []string{"of=agent", "the peer does not trust the authority of our certificate; give it that CA"},
		agentSays:  []string{"cannot connect to server", "its authority is not in our CA file; check that file"},
		goHides:    true,
	},
	"server expired": {
		server: expired, agent: good,
		serverSays: []string{"of=agent", "the peer refused our certificate: expired; renew it"},
		agentSays:  []string{"cannot connect to server", "certificate has expired", "must renew it"},
		goHides:    true,
	},
	"server of another name": {
		server: forOther, agent: good,
		serverSays: []string{"of=agent", "the peer refused our certificate", "another name"},
		agentSays:  []string{"cannot connect to server", `wanted \"127.0.0.1\", it is for other.example`, "issue it for that one"},
	},
}

func TestBothSidesExplainBadAgentKeys(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		for name, c := range badAgentKeys {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := startNeighbour(t, pair.server, pair.agent, serverSpec{http: true, unix: true})
				if c.server != nil {
					n.changeServer(t, c.server)
				}
				a := startAgent(t, pair.agent, nil, agentSpec{
					id: "visitor", address: n.server.agents, noWait: true,
					pki: c.agent(t, n.keys.cluster, privatePKI(t).cluster),
				})
				if !pair.server.reference() {
					eventually(t, "the server's word", patience, wantLogged(n.server.process, c.serverWords(pair.agent)...))
				}
				if !pair.agent.reference() {
					eventually(t, "the agent's word", patience, wantLogged(a.process, c.agentSays...))
				}
				if err := wantPage(a.health, "/readyz", 200, "ok")(); err == nil {
					t.Error("the agent is ready")
				}
				n.mustBeUnhurt(t)
			})
		}
	})
}

// changeServer gives a server that runs another certificate and waits until it shows it; Go's server never does.
func (n *neighbour) changeServer(t testing.TB, template func(string) *x509.Certificate) {
	t.Helper()
	if n.server.program.reference() {
		t.Skip("the reference reads its certificates once")
	}
	if err := n.keys.cluster.issue("server", template("changed")); err != nil {
		t.Fatal(err)
	}
	blind := n.keys.cluster.clientTLS(t, "h2")
	blind.InsecureSkipVerify = true
	eventually(t, "the new certificate", patience, shows(t, n.server.agents, blind, "changed"))
}

// badClient is a TLS client of the frontend that is not let in, or that turns away itself.
type badClient struct {
	config     func(t testing.TB, own, stranger *authority) *tls.Config
	serverSays []string
	clientSays string
}

func clientWith(t testing.TB, trusts, vouches *authority, template *x509.Certificate) *tls.Config {
	files := visitor(t, trusts, vouches, template).cluster
	config := files.clientTLS(t, "http/1.1", "h2")
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AddCert(trusts.cert)
	return config
}

var badClients = map[string]badClient{
	"expired": {
		func(t testing.TB, own, _ *authority) *tls.Config { return clientWith(t, own, own, expired("visitor")) },
		[]string{"of=client", "from=127.0.0.1:", "certificate has expired", "must renew it"}, "expired certificate",
	},
	"of another authority": {
		func(t testing.TB, own, stranger *authority) *tls.Config {
			return clientWith(t, own, stranger, certTemplate("visitor"))
		},
		[]string{"of=client", "its authority is not in our CA file; check that file"}, "unknown certificate authority",
	},
	"without a certificate": {
		func(t testing.TB, own, _ *authority) *tls.Config {
			config := own.clientTLS(t, "http/1.1", "h2")
			config.Certificates = nil
			return config
		},
		[]string{"of=client", "did not return a certificate", "one of an authority in our CA file"}, "certificate required",
	},
	"that trusts another authority": {
		func(t testing.TB, own, stranger *authority) *tls.Config {
			return clientWith(t, stranger, own, certTemplate("visitor"))
		},
		[]string{"of=client", "the peer refused our certificate"}, "unknown authority",
	},
}

func TestServerExplainsBadClientKeys(t *testing.T) {
	t.Parallel()
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		for _, front := range []serverSpec{{}, {http: true}} {
			n := startNeighbour(t, program, world.agents[0], front)
			for name, c := range badClients {
				t.Run(fmt.Sprintf("http=%v/%s", front.http, name), func(t *testing.T) {
					err := answers(n.server.frontend, c.config(t, n.keys.frontend, privatePKI(t).frontend))
					if err == nil {
						t.Fatal("the client was let in")
					}
					wantWords(t, err.Error(), c.clientSays)
					eventually(t, "the server's word", patience, wantLogged(n.server.process, c.serverSays...))
					n.mustBeUnhurt(t)
				})
			}
		}
	})
}

func TestServerExplainsTLSOnItsUnixSocket(t *testing.T) {
	t.Parallel()
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		for _, http := range []bool{false, true} {
			n := startNeighbour(t, program, world.agents[0], serverSpec{http: http, unix: true})
			raw, err := net.Dial("unix", n.server.frontend)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := tls.Client(raw, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx); err == nil || ctx.Err() != nil {
				t.Errorf("http=%v: the client was not turned away: %v", http, err)
			}
			eventually(t, "the server's word", patience, wantLogged(n.server.process, "of=client", "speaks TLS", "turn TLS off"))
			n.mustBeUnhurt(t)
		}
	})
}

// An agent whose token file goes away says so, does not trouble its server, and comes back with the file.
func TestAgentExplainsATokenFileThatGoesAway(t *testing.T) {
	t.Parallel()
	eachOurs(t, world.agents, func(t *testing.T, program peer) {
		s := startServer(t, world.servers[0], serverSpec{http: true, unix: true})
		token := filepath.Join(t.TempDir(), "token")
		write := func() {
			if err := os.WriteFile(token, []byte("a token"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write()
		a := startAgent(t, program, s, agentSpec{flags: []string{"--service-account-token-path=" + token}})
		s.kill()
		if err := os.Remove(token); err != nil {
			t.Fatal(err)
		}
		spec := s.spec
		spec.on = s
		again := startServer(t, world.servers[0], spec)
		eventually(t, "the agent's word", patience, wantLogged(a.process, "cannot connect to server", token, "no such file", "--service-account-token-path"))
		write()
		eventually(t, "server readiness", patience, wantPage(again.health, "/readyz", 200, "ok"))
	})
}
