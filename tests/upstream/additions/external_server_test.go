package tests

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	metricstest "sigs.k8s.io/apiserver-network-proxy/pkg/testing/metrics"
	"sigs.k8s.io/apiserver-network-proxy/tests/framework"
)

const (
	startLimit = time.Minute
	pollEvery  = 20 * time.Millisecond
	// The Go server in mode grpc waits without limit for open frontend streams after a SIGTERM. A test that leaves one open
	// is not to hang for that: after stopLimit the server is killed, which the log of the test then says.
	stopLimit = 3 * time.Second
)

// externalServerRunner starts the program at path for each server that a test wants.
type externalServerRunner struct {
	path string
}

func (r *externalServerRunner) Start(t testing.TB, opts framework.ProxyServerOpts) (framework.ProxyServer, error) {
	ports, err := framework.FreePorts(3)
	if err != nil {
		return nil, err
	}
	if opts.AgentPort != 0 {
		ports[0] = opts.AgentPort
	}
	s := &externalServer{
		t:         t,
		agentAddr: localAddress(ports[0]),
		health:    localAddress(ports[1]),
		front:     filepath.Join(framework.CertsDir, "server-"+uuid.NewString()+".sock"),
		exited:    make(chan struct{}),
	}
	if err := s.start(r.path, serverFlags(opts, ports, s.front)); err != nil {
		return nil, err
	}
	t.Cleanup(s.Stop)
	return s, s.waitUntilAlive()
}

func localAddress(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

func serverFlags(opts framework.ProxyServerOpts, ports []int, front string) []string {
	cert := func(name string) string { return filepath.Join(framework.CertsDir, name) }
	return []string{
		"--mode=" + opts.Mode,
		"--server-count=" + strconv.Itoa(opts.ServerCount),
		"--uds-name=" + front,
		"--server-port=0",
		"--cluster-cert=" + cert(framework.TestServerCertFile),
		"--cluster-key=" + cert(framework.TestServerKeyFile),
		"--cluster-ca-cert=" + cert(framework.TestCAFile),
		"--agent-bind-address=127.0.0.1", "--agent-port=" + strconv.Itoa(ports[0]),
		"--health-bind-address=127.0.0.1", "--health-port=" + strconv.Itoa(ports[1]),
		"--admin-bind-address=127.0.0.1", "--admin-port=" + strconv.Itoa(ports[2]),
	}
}

// externalServer is one process of a proxy server.
type externalServer struct {
	t         testing.TB
	agentAddr string
	health    string
	front     string
	cmd       *exec.Cmd
	exited    chan struct{} // closed once the process has been waited for
	stopOnce  sync.Once
}

func (s *externalServer) start(path string, flags []string) error {
	s.cmd = exec.Command(path, flags...)
	s.cmd.Stdout, s.cmd.Stderr = os.Stdout, os.Stderr
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		s.cmd.Wait()
		close(s.exited)
	}()
	return nil
}

func (s *externalServer) waitUntilAlive() error {
	deadline := time.Now().Add(startLimit)
	for time.Now().Before(deadline) {
		if s.answersOK("/healthz") {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the server ended while it should start: %v", s.cmd.ProcessState)
		case <-time.After(pollEvery):
		}
	}
	return errors.New("the server never answered /healthz")
}

// Stop ends the server by SIGTERM, as Kubernetes does, and fails the test if the server ended by itself before, or not cleanly.
func (s *externalServer) Stop() {
	s.stopOnce.Do(func() {
		select {
		case <-s.exited:
			s.t.Errorf("the server ended during the test: %v", s.cmd.ProcessState)
			return
		default:
		}
		s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.exited:
			if !s.cmd.ProcessState.Success() {
				s.t.Errorf("the server answered SIGTERM with: %v", s.cmd.ProcessState)
			}
		case <-time.After(stopLimit):
			s.t.Logf("the server was still running %v after SIGTERM and was killed", stopLimit)
			s.cmd.Process.Kill()
			<-s.exited
		}
	})
}

func (s *externalServer) AgentAddr() string { return s.agentAddr }
func (s *externalServer) FrontAddr() string { return s.front }
func (s *externalServer) Ready() bool       { return s.answersOK("/readyz") }

func (s *externalServer) Metrics() metricstest.ServerTester {
	return &metricstest.Tester{Endpoint: "http://" + s.health + "/metrics"}
}

// ConnectedBackends adds the backends of all strategies, as the runner inside the test process does.
func (s *externalServer) ConnectedBackends() (int, error) {
	response, err := s.get("/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return 0, err
	}
	const name = "konnectivity_network_proxy_server_ready_backends"
	family, found := families[name]
	if !found {
		return 0, fmt.Errorf("the server has no metric %s", name)
	}
	backends := 0
	for _, metric := range family.GetMetric() {
		backends += int(metric.GetGauge().GetValue())
	}
	return backends, nil
}

func (s *externalServer) answersOK(path string) bool {
	response, err := s.get(path)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (s *externalServer) get(path string) (*http.Response, error) {
	return http.Get("http://" + s.health + path)
}
