// Package tests: run.sh adds these files to a copy of the reference's own test package. This one takes the place of its
// main_test.go, in which the server under test can only be the Go one, inside the test process.
package tests

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	clientmetrics "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/pkg/client/metrics"
	"sigs.k8s.io/apiserver-network-proxy/tests/framework"
)

var (
	serverPath = flag.String("server-path", "", "the proxy server to test")
	agentPath  = flag.String("agent-path", "", "the proxy agent to test")
	dnsAddress = flag.String("dns", "", "answer every DNS question at this address with 'no such name'")
)

// Framework is the name by which the tests start servers and agents.
var Framework framework.Framework

func TestMain(m *testing.M) {
	flag.Parse()
	// Metrics come over HTTP here. A connection kept for the next scrape would be a leaked goroutine to the tests.
	http.DefaultTransport.(*http.Transport).DisableKeepAlives = true
	clientmetrics.Metrics.RegisterMetrics(prometheus.DefaultRegisterer)
	os.Exit(run(m))
}

func run(m *testing.M) int {
	for _, path := range []string{*serverPath, *agentPath} {
		if err := checkExecutable(path); err != nil {
			log.Print(err)
			return 2
		}
	}
	Framework.ProxyServerRunner = &externalServerRunner{path: *serverPath}
	Framework.AgentRunner = &patientAgentRunner{framework.ExternalAgentRunner{ExecutablePath: *agentPath}}
	if *dnsAddress != "" {
		if err := serveNoSuchName(*dnsAddress); err != nil {
			log.Printf("DNS server: %v", err)
			return 2
		}
	}
	if err := framework.InitCertsDir(); err != nil {
		log.Printf("test certificates: %v", err)
		return 2
	}
	defer os.RemoveAll(framework.CertsDir)
	return m.Run()
}

func checkExecutable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("--server-path and --agent-path must both name a program: %w", err)
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is not executable", path)
	}
	return nil
}
