package interop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience is the longest a healthy program may take for anything that should be immediate.
const patience = 15 * time.Second

// process is a running program. It is killed when its test ends; dying before that fails the test.
type process struct {
	name    string
	cmd     *exec.Cmd
	logPath string
	exited  chan struct{}
	ending  atomic.Bool
}

func launch(t testing.TB, name, path string, env, args []string) *process {
	t.Helper()
	p := &process{name: name, exited: make(chan struct{}), logPath: filepath.Join(t.TempDir(), "log")}
	output, err := os.Create(p.logPath)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(path, args...)
	p.cmd.Args[0] = "/" + strings.TrimRight(name, "0123456789")
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := startPinned(p.cmd); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		p.cmd.Wait()
		output.Close()
		close(p.exited)
	}()
	t.Cleanup(func() { p.bury(t) })
	return p
}

// mayDie tells that the test expects this process to end.
func (p *process) mayDie() { p.ending.Store(true) }

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("signal %v to %s: %v", signal, p.name, err)
	}
}

// kill ends the process at once, as a power cut would.
func (p *process) kill() {
	p.mayDie()
	p.cmd.Process.Kill()
	<-p.exited
}

// exitCode waits for the end of the process.
func (p *process) exitCode(t testing.TB, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("%s did not exit within %v", p.name, limit)
		return -1
	}
}

func (p *process) output() string {
	text, _ := os.ReadFile(p.logPath)
	return string(text)
}

var sanitizerReports = []string{"AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:", "panic:"}

func (p *process) bury(t testing.TB) {
	died := !p.alive() && !p.ending.Load()
	p.kill()
	log := p.output()
	if died {
		t.Errorf("%s died on its own: %v", p.name, p.cmd.ProcessState)
	}
	for _, report := range sanitizerReports {
		if !p.expectedPanic() && strings.Contains(log, report) {
			t.Errorf("%s reported %q", p.name, report)
		}
	}
	if t.Failed() {
		t.Logf("last output of %s:\n%s", p.name, tail(log, 6000))
	}
}

// expectedPanic: only a program that was allowed to end may have panicked (a reference whose crash is being proved).
func (p *process) expectedPanic() bool { return p.ending.Load() && p.cmd.ProcessState.ExitCode() == 2 }

func tail(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return "..." + text[len(text)-limit:]
}

var errTimeout = errors.New("deadline passed")

// poll repeats the check until it gives nil or the limit has passed; it returns the last reason.
func poll(limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v: %w", limit, err)
		}
		time.Sleep(pause)
	}
}

// eventually is poll for what must come true.
func eventually(t testing.TB, what string, limit time.Duration, check func() error) {
	t.Helper()
	if err := poll(limit, check); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

var plainHTTP = &http.Client{
	Timeout:       patience,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get fetches a plain HTTP page of a program.
func get(address, path string) (status int, body string, header http.Header, err error) {
	response, err := plainHTTP.Get("http://" + address + path)
	if err != nil {
		return 0, "", nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), response.Header, err
}

// wantPage is a check for poll: the page must answer so.
func wantPage(address, path string, status int, body string) func() error {
	return func() error {
		gotStatus, gotBody, _, err := get(address, path)
		if err != nil {
			return err
		}
		if gotStatus != status || !bytes.Contains([]byte(gotBody), []byte(body)) {
			return fmt.Errorf("%s answered %d %q, want %d %q", path, gotStatus, gotBody, status, body)
		}
		return nil
	}
}

func wantListening(network, address string) func() error {
	return func() error {
		conn, err := net.DialTimeout(network, address, time.Second)
		if err == nil {
			conn.Close()
		}
		return err
	}
}
