package interop

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// Who may register what, and go where: what we add to the reference (docs/security.md).

// oneAuthority is a trust whose one authority vouches for agents and clients alike, as the add-on has it.
func oneAuthority(t testing.TB) *pki {
	t.Helper()
	keys := privatePKI(t)
	return &pki{frontend: keys.cluster, cluster: keys.cluster}
}

// showing is the same trust, whose "client" shows a certificate of that name for those clusters.
func (p *pki) showing(t testing.TB, name string, clusters ...string) *pki {
	t.Helper()
	template := certTemplate(name)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	template.DNSNames, template.IPAddresses = nil, nil
	for _, cluster := range clusters {
		template.URIs = append(template.URIs, &url.URL{Scheme: "urn", Opaque: "open-cluster-management:cluster:" + cluster})
	}
	shown := &authority{directory: filepath.Join(t.TempDir(), name), cert: p.cluster.cert, key: p.cluster.key}
	if err := shown.write(); err != nil {
		t.Fatal(err)
	}
	if err := shown.issue("client", template); err != nil {
		t.Fatal(err)
	}
	return &pki{frontend: shown, cluster: shown}
}

// as gives the server as a client with other keys sees it.
func (s *server) as(keys *pki) *server {
	other := *s
	other.spec.pki = keys
	return &other
}

// eachKindOfAgent runs the test for our agent on both kinds of link, and for the reference.
func eachKindOfAgent(t *testing.T, test func(t *testing.T, program peer, flags []string)) {
	t.Parallel()
	for _, program := range world.agents {
		t.Run("agent="+program.name, func(t *testing.T) {
			t.Parallel()
			test(t, program, nil)
		})
		if program.reference() {
			continue
		}
		t.Run("agent="+program.name+"/konnectivity", func(t *testing.T) {
			t.Parallel()
			test(t, program, []string{"--native-link=false"})
		})
	}
}

func ourServer(t *testing.T) peer {
	t.Helper()
	for _, program := range world.servers {
		if !program.reference() {
			return program
		}
	}
	t.Skip("needs our own server")
	return peer{}
}

func says(p *process, text string) func() error {
	return func() error {
		if !strings.Contains(p.output(), text) {
			return fmt.Errorf("%s does not say %q", p.name, text)
		}
		return nil
	}
}

func dialError(dial dialer, address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := dial(ctx, address)
	if err == nil {
		conn.Close()
	}
	return err
}

// wantRefusal wants the dial to fail with the text; over HTTP with 403 and the reason in Proxy-Status.
func wantRefusal(t testing.TB, s *server, address, text, reason string) {
	t.Helper()
	err := dialError(dialerFor(t, s), address)
	if err == nil {
		t.Fatal("the dial was allowed")
	}
	var answer *refusal
	if !errors.As(err, &answer) {
		// Go's client keeps the text of a dial error to its log and says "dial error" of all of them.
		return
	}
	if !strings.Contains(answer.body, text) || !strings.Contains(answer.status, "403 Forbidden") {
		t.Fatalf("refused by %q %q, want 403 with %q", answer.status, answer.body, text)
	}
	if !strings.Contains(answer.header, "error="+reason+";") {
		t.Errorf("header is %q, want a Proxy-Status with %s", answer.header, reason)
	}
}

var enforcing = []string{"--cluster-identity=enforce", "--proxy-strategies=destHost", "--cluster-identifiers=c1=127.0.0.1", "-v=2"}

func TestAgentServesItsOwnClusterOnly(t *testing.T) {
	eachKindOfAgent(t, func(t *testing.T, program peer, flags []string) {
		keys := oneAuthority(t)
		s := startServer(t, ourServer(t), serverSpec{http: true, pki: keys, flags: enforcing})
		target := listen(t, "127.0.0.1", echo).address

		thief := startAgent(t, program, s, agentSpec{pki: keys.showing(t, "thief", "c2"), identifiers: "host=127.0.0.1", flags: flags, noWait: true})
		eventually(t, "refusal", patience, says(s.process, "agent refused"))
		eventually(t, "reason", patience, says(s.process, `identifier \"127.0.0.1\" does not belong to cluster \"c2\"`))
		if !program.reference() {
			eventually(t, "reason at the agent", patience, says(thief.process, "does not belong to cluster"))
		}
		if count, _ := scrape(s.health).value(serverPrefix+"identity_violations_total", "action", "refused"); count < 1 {
			t.Errorf("identity_violations_total is %v", count)
		}
		if err := dialError(dialerFor(t, s), target); err == nil {
			t.Fatal("an agent of another cluster got the connection")
		}

		startAgent(t, program, s, agentSpec{pki: keys.showing(t, "owner", "c1"), identifiers: "host=127.0.0.1", flags: flags})
		mustPing(t, mustDial(t, dialerFor(t, s), target), "to the owner")
		t.Logf("the agent says: %s", tail(thief.output(), 300))
	})
}

func TestIdentityWarnsWhenAsked(t *testing.T) {
	eachKindOfAgent(t, func(t *testing.T, program peer, flags []string) {
		keys := oneAuthority(t)
		s := startServer(t, ourServer(t), serverSpec{http: true, pki: keys,
			flags: []string{"--cluster-identity=warn", "--proxy-strategies=destHost"}})
		startAgent(t, program, s, agentSpec{pki: keys.showing(t, "thief", "c2"), identifiers: "host=127.0.0.1", flags: flags})
		mustPing(t, mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address), "admitted")
		eventually(t, "warning", patience, says(s.process, "agent admitted though its identity does not fit"))
		wantMetric(t, s.health, 1, serverPrefix+"identity_violations_total", "action", "admitted")
	})
}

// With one authority for both, neither kind of certificate is good for the other's port.
func TestCertificatesOpenTheirOwnPortOnly(t *testing.T) {
	t.Parallel()
	for _, front := range []serverSpec{{}, {http: true}} {
		t.Run(fmt.Sprintf("http=%v", front.http), func(t *testing.T) {
			t.Parallel()
			keys := oneAuthority(t)
			front.pki, front.flags = keys, enforcing
			s := startServer(t, ourServer(t), front)
			agent := keys.showing(t, "agent", "c1")
			for _, program := range world.agents {
				startAgent(t, program, s, agentSpec{pki: agent, identifiers: "host=127.0.0.1"})
			}
			target := listen(t, "127.0.0.1", echo).address
			client := keys.showing(t, "client")
			mustPing(t, mustDial(t, dialerFor(t, s.as(client)), target), "the client's own port")

			wantRefusal(t, s.as(agent), target, "is that of an agent", "http_request_denied")
			eventually(t, "access log", patience, says(s.process, "dial refused"))
			wantDialFailures(t, s, "forbidden", 1)

			for _, program := range world.agents {
				startAgent(t, program, s, agentSpec{pki: client, identifiers: "host=127.0.0.1", noWait: true})
			}
			eventually(t, "refusal of the client's certificate", patience, says(s.process, "names no cluster"))
		})
	}
}

func TestRulesSayWhichClientGoesWhere(t *testing.T) {
	t.Parallel()
	for _, front := range []serverSpec{{}, {http: true}} {
		t.Run(fmt.Sprintf("http=%v", front.http), func(t *testing.T) {
			t.Parallel()
			keys := oneAuthority(t)
			allowed, other := listen(t, "127.0.0.1", echo).address, listen(t, "127.0.0.1", echo).address
			front.pki = keys
			front.flags = append([]string{"--allow-client=cn=alice; cluster=c1; destination=*:" + portOf(allowed), "--allow-client=cn=bob; cluster=c2"}, enforcing...)
			s := startServer(t, ourServer(t), front)
			for _, program := range world.agents {
				startAgent(t, program, s, agentSpec{pki: keys.showing(t, "agent", "c1"), identifiers: "host=127.0.0.1"})
			}
			alice, bob, eve := s.as(keys.showing(t, "alice")), s.as(keys.showing(t, "bob")), s.as(keys.showing(t, "eve"))
			mustPing(t, mustDial(t, dialerFor(t, alice), allowed), "alice")
			wantRefusal(t, alice, other, "is not allowed to reach "+other, "http_request_denied")
			wantRefusal(t, bob, allowed, `of cluster "c1"`, "http_request_denied")
			wantRefusal(t, eve, allowed, "no --allow-client rule of the server names it", "http_request_denied")
			wantDialFailures(t, s, "forbidden", 3)
		})
	}
}

func TestAgentDialsOnlyWhereItMay(t *testing.T) {
	t.Parallel()
	for _, program := range world.servers {
		for name, more := range map[string][]string{"native": nil, "konnectivity": {"--native-link=false"}} {
			t.Run("server="+program.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				agent := ours(t).agent
				open, closed := listen(t, "127.0.0.1", echo).address, listen(t, "127.0.0.1", echo).address
				s := startServer(t, program, serverSpec{http: true})
				a := startAgent(t, agent, s, agentSpec{flags: append([]string{"-v=2", "--allow-destination=127.0.0.0/8,*.invalid", "--deny-destination=*:" + portOf(closed)}, more...)})
				mustPing(t, mustDial(t, dialerFor(t, s), open), "allowed")
				mustPing(t, mustDial(t, dialerFor(t, s), "localhost:"+portOf(open)), "allowed by address")
				for address, text := range map[string]string{
					closed:                            "is not allowed: the agent has --deny-destination",
					"localhost:" + portOf(closed):     "is not allowed: the agent has --deny-destination",
					"10.9.8.7:80":                     "no --allow-destination of the agent matches it",
					"ip6-localhost.invalid.test:4000": "",
				} {
					var answer *refusal
					if err := dialError(dialerFor(t, s), address); !errors.As(err, &answer) || !strings.Contains(answer.body, text) {
						t.Errorf("%s: %v, want %q", address, err, text)
					} else if want := "403 Forbidden"; text != "" && !program.reference() && !strings.Contains(answer.status, want) {
						t.Errorf("%s: %s, want %s", address, answer.status, want)
					}
				}
				eventually(t, "log", patience, says(a.process, "is not allowed"))
				if count, _ := scrape(a.health).value(agentPrefix + "destinations_refused_total"); count < 3 {
					t.Errorf("destinations_refused_total is %v", count)
				}
			})
		}
	}
}

// A name must not lead around a rule about addresses.
func TestNamesDoNotLeadAroundRules(t *testing.T) {
	t.Parallel()
	target := listen(t, "127.0.0.1", echo).address
	s := startServer(t, ourServer(t), serverSpec{http: true})
	startAgent(t, ours(t).agent, s, agentSpec{flags: []string{"--deny-destination=127.0.0.0/8,[::1]"}})
	wantRefusal(t, s, "localhost:"+portOf(target), "is not allowed: its address", "destination_ip_prohibited")
}
