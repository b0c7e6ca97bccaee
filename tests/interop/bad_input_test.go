package interop

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// badCase is one thing a user gets wrong, and the words that must tell what it is and the way out.
type badCase struct {
	flags []string
	says  []string
}

// eachOurs runs the test for every program of ours: the texts are our promise, not the reference's.
func eachOurs(t *testing.T, programs []peer, test func(t *testing.T, program peer)) {
	t.Helper()
	for _, program := range programs {
		if !program.reference() {
			test(t, program)
		}
	}
}

func wantWords(t testing.TB, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not say %q", tail(text, 600), word)
		}
	}
}

// refuses starts a program that must end with exit code 1 and say these words.
func refuses(t *testing.T, kind string, program peer, args []string, says ...string) {
	t.Helper()
	p := launch(t, kind, program.path, nil, args)
	p.mayDie()
	if code := p.exitCode(t, patience); code != 1 {
		t.Errorf("exit code is %d, want 1", code)
	}
	wantWords(t, p.output(), says...)
}

func serverRefuses(t *testing.T, cases map[string]badCase) {
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				s := &server{program: program}
				s.place(t)
				refuses(t, "proxy-server", program, append(s.arguments(), c.flags...), c.says...)
			})
		}
	})
}

func agentRefuses(t *testing.T, cases map[string]badCase) {
	eachOurs(t, world.agents, func(t *testing.T, program peer) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				a := &agent{program: program, health: hostPort("127.0.0.1", freePort(t)), admin: hostPort("127.0.0.1", freePort(t))}
				args := a.arguments(agentSpec{address: closedPort(t)})
				refuses(t, "proxy-agent", program, append(args, c.flags...), c.says...)
			})
		}
	})
}

func TestServerExplainsBadFlags(t *testing.T) {
	serverRefuses(t, map[string]badCase{
		"reserved port":       {[]string{"--agent-port=80"}, []string{"--agent-port=80", "1024..49151", "reserved"}},
		"ephemeral port":      {[]string{"--health-port=50000"}, []string{"--health-port=50000", "ephemeral"}},
		"no port":             {[]string{"--admin-port=70000"}, []string{"--admin-port=70000", "1024..49151"}},
		"text for a number":   {[]string{"--agent-port=abc"}, []string{`"abc"`, "--agent-port"}},
		"no unit":             {[]string{"--keepalive-time=5"}, []string{"--keepalive-time", "missing unit"}},
		"negative grace":      {[]string{"--graceful-shutdown-timeout=-1s"}, []string{"must be >= 0", "0 means no grace"}},
		"empty mode":          {[]string{"--mode="}, []string{`--mode=""`, "grpc or http-connect"}},
		"unknown strategy":    {[]string{"--proxy-strategies=desthost"}, []string{`"desthost"`, "destHost"}},
		"cipher":              {[]string{"--cipher-suites=ROT13"}, []string{"ROT13", "\n  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
		"TLS version":         {[]string{"--tls-min-version=1.3"}, []string{"--tls-min-version=1.3", "VersionTLS13"}},
		"socket and port":     {[]string{"--uds-name=x.sock"}, []string{"--server-port=", "must be 0 with --uds-name"}},
		"CA and tokens":       {[]string{"--agent-namespace=x"}, []string{"--cluster-ca-cert", "remove it"}},
		"empty label":         {[]string{"--lease-label="}, []string{`--lease-label=""`, "key=value"}},
		"label without key":   {[]string{"--lease-label==v"}, []string{"no key", "key=value"}},
		"memory":              {[]string{"--memory-limit=lots"}, []string{"--memory-limit", "64Mi"}},
		"too little memory":   {[]string{"--connection-buffer-limit=1"}, []string{"at least 64Ki"}},
		"misspelled flag":     {[]string{"--agent-prot=1"}, []string{"--agent-prot", "did you mean --agent-port?"}},
		"underscores":         {[]string{"--agent_port=1"}, []string{"did you mean --agent-port?"}},
		"a single dash":       {[]string{"-agent-port=1"}, []string{"did you mean --agent-port?"}},
		"value missing":       {[]string{"--agent-port"}, []string{"flag needs an argument: --agent-port"}},
		"unopenable log file": {[]string{"--logtostderr=false", "--log-file=/proc/x.log"}, []string{"/proc/x.log", "make its directory, or correct the path"}},
		"log folder missing":  {[]string{"--logtostderr=false", "--log-dir=/nonexistent"}, []string{"/nonexistent/proxy-server.log", "no such file", "make its directory"}},
	})
}

func TestAgentExplainsBadFlags(t *testing.T) {
	agentRefuses(t, map[string]badCase{
		"port":               {[]string{"--proxy-server-port=0"}, []string{"--proxy-server-port=0", "1..65535"}},
		"no host":            {[]string{"--proxy-server-host="}, []string{`--proxy-server-host=""`}},
		"no CA":              {[]string{"--ca-cert="}, []string{`--ca-cert=""`, "which servers to trust"}},
		"half a pair":        {[]string{"--agent-key="}, []string{"set --agent-key as well"}},
		"interval over cap":  {[]string{"--sync-interval=20s"}, []string{"--sync-interval=20s", "--sync-interval-cap=1s"}},
		"negative interval":  {[]string{"--probe-interval=-1s"}, []string{"must be >= 0"}},
		"unknown identifier": {[]string{"--agent-identifiers=uid=1"}, []string{`"uid"`, "host=n1&ipv4=10.0.0.4"}},
		"count source":       {[]string{"--server-count-source=min"}, []string{"default or max"}},
		"server address":     {[]string{"--proxy-server-addresses=a:b:c"}, []string{"a:b:c", "[ipv6]:port"}},
		"misspelled flag":    {[]string{"--proxy-server-hots=x"}, []string{"did you mean --proxy-server-host?"}},
		"missing token":      {[]string{"--service-account-token-path=/nonexistent"}, []string{"/nonexistent", "No such file"}},
		"lease selector":     {[]string{"--count-server-leases", "--kubeconfig=" + kubeconfig(t), "--lease-label-selector=a in b"}, []string{"--lease-label-selector", `"a in b"`, "expected '('", "key in (a,b)"}},
		"missing kubeconfig": {[]string{"--kubeconfig=/nonexistent"}, []string{"--kubeconfig=/nonexistent", "No such file"}},
	})
}

func TestServerExplainsBadFiles(t *testing.T) {
	files := badFiles(t)
	at := func(name string) string { return filepath.Join(files, name) }
	serverRefuses(t, map[string]badCase{
		"missing":           {[]string{"--cluster-cert=" + at("none")}, []string{at("none"), "No such file", "check the path"}},
		"a directory":       {[]string{"--cluster-cert=" + files}, []string{files, "directory"}},
		"empty":             {[]string{"--cluster-cert=" + at("empty")}, []string{at("empty"), "file is empty"}},
		"no PEM":            {[]string{"--cluster-cert=" + at("text")}, []string{at("text"), "not PEM"}},
		"cut off":           {[]string{"--cluster-cert=" + at("cut.crt")}, []string{at("cut.crt"), "cut off"}},
		"a key for a cert":  {[]string{"--cluster-cert=" + at("ok.key")}, []string{at("ok.key"), "PEM of another kind"}},
		"encrypted key":     {[]string{"--cluster-key=" + at("encrypted.key")}, []string{at("encrypted.key"), "encrypted", "openssl pkey"}},
		"key of another":    {[]string{"--cluster-key=" + at("ok.key")}, []string{at("ok.key"), "does not belong to the certificate"}},
		"no CA in it":       {[]string{"--server-ca-cert=" + at("ok.key")}, []string{at("ok.key"), "no PEM certificate"}},
		"malformed CA":      {[]string{"--cluster-ca-cert=" + at("malformed.crt")}, []string{"certificate 1 is malformed"}},
		"kubeconfig":        {[]string{"--enable-lease-controller", "--kubeconfig=" + at("text")}, []string{at("text"), "this is not a kubeconfig", "clusters, users and contexts"}},
		"kubeconfig folder": {[]string{"--kubeconfig=" + files}, []string{"--kubeconfig=" + files, "directory"}},
	})
}

// kubeconfig names a good file for an API server that nobody runs.
func kubeconfig(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := `{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}],
		clusters: [{name: k, cluster: {server: "https://127.0.0.1:1"}}], users: [{name: u, user: {token: t}}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// badFiles makes a directory with one file of each kind of mistake.
func badFiles(t testing.TB) string {
	directory := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := privatePKI(t).cluster.files("client")
	key, err := os.ReadFile(other.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := os.ReadFile(other.cert)
	if err != nil {
		t.Fatal(err)
	}
	write("empty", nil)
	write("text", []byte("hello\n"))
	write("ok.key", key)
	write("cut.crt", cert[:len(cert)/2])
	write("malformed.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0, 0, 0}}))
	write("encrypted.key", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{0, 0, 0}}))
	return directory
}

// The tunnel is worth more than its gauges: a health port in use is told and survived.
// Without these there is no tunnel: the program ends.
// A balancer that checks the port every second must not fill the log, and must be seen all the same.
// What the client is told is fixed by the protocol; the log says where to look.
func TestServerSaysWhenAnAgentWasLastSeen(t *testing.T) {
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{http: true, flags: []string{"--proxy-strategies=destHost"}})
		dial := func(host string) { dialWithin(dialerFor(t, s), host+":80", patience) }
		dial("c8")
		eventually(t, "the log line", patience, wantLogged(s.process, `no agent for host \"c8\"`, "none was since this server started", "--agent-identifiers=host=NAME"))
		a := startAgent(t, world.agents[0], s, agentSpec{id: "cluster-7", identifiers: "host=c7"})
		a.kill()
		eventually(t, "the loss", patience, wantPage(s.health, "/readyz", 500, "no connection to any proxy agent"))
		dial("c7")
		eventually(t, "the log line", patience, wantLogged(s.process, `no agent for host \"c7\"`, `agent \"cluster-7\" was until`, " s ago, from ", "look at the agent's log"))
	})
}

// Tunnels work without the lease, so a label that cannot be is told and survived.
func TestServerWarnsOfLeaseLabelsThatCannotBe(t *testing.T) {
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{unix: true, flags: []string{
			"--enable-lease-controller", "--kubeconfig=" + kubeconfig(t), "--lease-label=ok=yes,app=two words,-x=y",
		}})
		wantWords(t, s.output(), `label="app=two words" wrong=value`, `label="-x=y" wrong=key`, "--lease-label", "want [domain/]name=value")
		if strings.Contains(s.output(), "ok=yes\" wrong") {
			t.Error("a good label is called wrong")
		}
	})
}

// An own certificate out of its time is for the peers to judge: a warning, and on.
func TestServerWarnsOfItsExpiredCertificate(t *testing.T) {
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		keys := privatePKI(t)
		template := certTemplate("server")
		template.NotBefore, template.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		issueServer(t, keys, template)
		s := startServer(t, program, serverSpec{pki: keys, unix: true})
		wantWords(t, s.output(), "certificate expired", keys.cluster.files("server").cert, "renew it")
	})
}

func issueServer(t testing.TB, keys *pki, template *x509.Certificate) {
	t.Helper()
	if err := keys.cluster.issue("server", template); err != nil {
		t.Fatal(err)
	}
}

// wantLogged is a check for poll: one line must hold all the words.
func wantLogged(p *process, words ...string) func() error {
	return func() error {
		for line := range strings.Lines(p.output()) {
			if containsAll(line, words) {
				return nil
			}
		}
		return errNotLogged(words)
	}
}

func containsAll(line string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(line, word) {
			return false
		}
	}
	return true
}

type errNotLogged []string

func (words errNotLogged) Error() string {
	return "no log line says all of " + strings.Join(words, ", ")
}

// A server out of reach is tried again and again, and the log says so once; each attempt is there at -v=5.
func TestAgentTellsOnceThatItCannotConnect(t *testing.T) {
	eachOurs(t, world.agents, func(t *testing.T, program peer) {
		nobody := fmt.Sprintf("127.0.0.1:%d", freePort(t))
		a := startAgent(t, program, nil, agentSpec{address: nobody, noWait: true, flags: []string{"-v=5"}})
		eventually(t, "four attempts", patience, func() error {
			if tried := strings.Count(a.output(), "cannot connect to server"); tried < 4 {
				return fmt.Errorf("%d attempts so far", tried)
			}
			return nil
		})
		if told := strings.Count(a.output(), " W cannot connect to server"); told != 1 {
			t.Fatalf("the log warned %d times:\n%s", told, a.output())
		}
	})
}
