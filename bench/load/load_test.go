package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start serves a target and gives the settings of a measurement without a proxy.
func start(t *testing.T) settings {
	t.Helper()
	services, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	control := filepath.Join(t.TempDir(), "control")
	asked, err := net.Listen("unix", control)
	if err != nil {
		t.Fatal(err)
	}
	served := &target{}
	go accept(services, served.serve)
	go accept(asked, served.tell)
	t.Cleanup(func() { services.Close(); asked.Close() })
	return settings{
		route: route{via: "tcp", front: services.Addr().String()}, tunnels: 2, control: control,
		warmup: 300 * time.Millisecond, duration: time.Second, watch: watch{"self": os.Getpid()},
	}
}

func TestBulkCountsWhatArrives(t *testing.T) {
	s := start(t)
	for name, run := range map[string]func(settings) (any, error){"download": download, "upload": upload} {
		result, err := run(s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if bulk := result.(bulkResult); bulk.Bytes == 0 || bulk.Ended != 0 || bulk.Peak["self"] == 0 || bulk.Slowest > bulk.Fastest {
			t.Errorf("%s: %+v", name, bulk)
		}
	}
}

func TestUploadSeesAProxyThatSwallows(t *testing.T) {
	s := start(t)
	swallower, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer swallower.Close()
	go accept(swallower, (&target{}).sink)
	s.route.front = swallower.Addr().String()
	result, err := upload(s)
	if err != nil {
		t.Fatal(err)
	}
	if arrived := result.(bulkResult).Bytes; arrived != 0 {
		t.Errorf("%d bytes counted that never reached the target", arrived)
	}
}

func TestConnectsFailLoudly(t *testing.T) {
	s := start(t)
	s.route.front = "127.0.0.1:1"
	if result, err := connects(s); err == nil {
		t.Errorf("nobody listens, and yet: %+v", result)
	}
}

func TestIsolationSeesAStalledNeighbourOnlyAsOne(t *testing.T) {
	s := start(t)
	s.stalled, s.slow, s.deaf = 1, 3, 1
	result, err := isolation(s)
	if err != nil {
		t.Fatal(err)
	}
	if r := result.(isolationResult); r.With.Rate == 0 || r.With.Failed != 0 || r.Without.Rate == 0 {
		t.Errorf("without any proxy between: %+v", r)
	}
}

func TestConnectNamesARefusal(t *testing.T) {
	proxy, err := net.Listen("unix", filepath.Join(t.TempDir(), "front"))
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	go accept(proxy, func(conn net.Conn) {
		conn.Read(make([]byte, 1024))
		conn.Write([]byte("HTTP/1.1 502 Bad Gateway\r\n\r\nconnection refused"))
	})
	r := route{via: "connect-unix", front: proxy.Addr().String(), to: "127.0.0.1:1"}
	dial, err := r.dialer()
	if err != nil {
		t.Fatal(err)
	}
	_, err = dial(context.Background())
	if err == nil || !strings.Contains(err.Error(), "502 Bad Gateway") {
		t.Errorf("a refused CONNECT gives %v", err)
	}
}

func TestSummaryFindsPercentiles(t *testing.T) {
	times := make([]time.Duration, 1000)
	for i := range times {
		times[len(times)-1-i] = time.Duration(i+1) * time.Millisecond
	}
	if got := summary(times); got.P50 != 501 || got.P99 != 991 || got.Most != 1000 || got.Count != 1000 {
		t.Errorf("%+v", got)
	}
	if empty := summary(nil); empty.Count != 0 {
		t.Errorf("%+v", empty)
	}
}
