package interop

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// A job is one tunnel whose both directions are checked byte by byte. Its header travels first, so that the
// endpoint knows what to expect: the protocol has no half-close, a length must replace it.
type job struct {
	shape    shape
	seed     uint64
	up, down int
	// vanishes: the client closes right after its last byte; the endpoint must still get all of them.
	vanishes bool
	// slowly: the client reads in small sips.
	slowly bool
	// halfClose: the client shuts down its writing side after the last byte and goes on reading.
	halfClose bool
}

type shape uint8

const (
	duplex    shape = iota // both directions at once
	thenReply              // the endpoint answers only after it has everything, then closes at once
)

const headerSize = 8 + 4 + 4 + 1

func (j job) header() []byte {
	head := binary.BigEndian.AppendUint64(nil, j.seed)
	head = binary.BigEndian.AppendUint32(head, uint32(j.up))
	head = binary.BigEndian.AppendUint32(head, uint32(j.down))
	return append(head, byte(j.shape))
}

func parseJob(head []byte) job {
	return job{
		seed: binary.BigEndian.Uint64(head), up: int(binary.BigEndian.Uint32(head[8:])),
		down: int(binary.BigEndian.Uint32(head[12:])), shape: shape(head[16]),
	}
}

// pattern is an endless byte sequence fixed by its seed; a lost, doubled or foreign byte shifts all that follows.
type pattern struct {
	state uint64
	spare [8]byte
	left  int
}

func newPattern(seed uint64) *pattern { return &pattern{state: seed*0x9E3779B97F4A7C15 | 1} }

func (p *pattern) fill(buffer []byte) {
	for i := 0; i < len(buffer); {
		if p.left == 0 {
			p.state ^= p.state << 13
			p.state ^= p.state >> 7
			p.state ^= p.state << 17
			binary.LittleEndian.PutUint64(p.spare[:], p.state)
			p.left = 8
		}
		n := copy(buffer[i:], p.spare[8-p.left:])
		i, p.left = i+n, p.left-n
	}
}

var errWrongBytes = errors.New("wrong bytes")

// verify reads exactly n bytes of the pattern; pause, if any, runs before each read.
func verify(conn io.Reader, seed uint64, n int, pause func()) error {
	want, expected, got := newPattern(seed), make([]byte, 32<<10), make([]byte, 32<<10)
	for offset := 0; offset < n; {
		if pause != nil {
			pause()
		}
		size, err := conn.Read(got[:min(len(got), n-offset)])
		want.fill(expected[:size])
		if string(got[:size]) != string(expected[:size]) {
			return fmt.Errorf("%w between %d and %d of %d", errWrongBytes, offset, offset+size, n)
		}
		offset += size
		if err != nil && offset < n {
			return fmt.Errorf("lost after %d of %d bytes: %w", offset, n, err)
		}
	}
	return nil
}

// produce writes n bytes of the pattern in random pieces.
func produce(conn io.Writer, seed uint64, n int) error {
	source, random, block := newPattern(seed), rand.New(rand.NewPCG(seed, 1)), make([]byte, 256<<10)
	for sent := 0; sent < n; {
		size := min(1+random.IntN(1<<(random.IntN(18)+1)), n-sent)
		source.fill(block[:size])
		if _, err := conn.Write(block[:size]); err != nil {
			return fmt.Errorf("after %d of %d bytes: %w", sent, n, err)
		}
		sent += size
	}
	return nil
}

// judge is an endpoint that checks what it receives and remembers the verdict of each job.
type judge struct {
	*endpoint
	mu       sync.Mutex
	verdicts map[uint64]chan error
}

func newJudge(t testing.TB) *judge {
	t.Helper()
	j := &judge{verdicts: map[uint64]chan error{}}
	j.endpoint = listen(t, "127.0.0.1", j.serve)
	return j
}

func (j *judge) verdict(seed uint64) chan error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.verdicts[seed] == nil {
		j.verdicts[seed] = make(chan error, 1)
	}
	return j.verdicts[seed]
}

func (j *judge) serve(conn net.Conn) {
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(conn, head); err != nil {
		return
	}
	task := parseJob(head)
	j.verdict(task.seed) <- task.endpointSide(conn)
}

func (j job) endpointSide(conn net.Conn) error {
	if j.shape == thenReply {
		if err := verify(conn, j.seed, j.up, nil); err != nil {
			return err
		}
		return produce(conn, j.seed+1, j.down)
	}
	written := make(chan error, 1)
	go func() { written <- produce(conn, j.seed+1, j.down) }()
	return errors.Join(verify(conn, j.seed, j.up, nil), <-written)
}

// run carries out the job over one tunnel and gives the first thing that was wrong, at either end.
func (j job) run(dial dialer, to *judge) error {
	verdict := to.verdict(j.seed)
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	conn, err := dial(ctx, to.address)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	defer conn.Close()
	err = within(3*patience, "client", func() error { return j.clientSide(conn) })
	if err != nil {
		return err
	}
	return within(patience, "endpoint", func() error { return <-verdict })
}

func (j job) clientSide(conn net.Conn) error {
	written := make(chan error, 1)
	go func() { written <- j.write(conn) }()
	if j.vanishes {
		if err := <-written; err != nil {
			return fmt.Errorf("write: %w", err)
		}
		conn.Close() // fails when the endpoint, which has everything by then, was faster
		return nil
	}
	if err := verify(conn, j.seed+1, j.down, j.pause()); err != nil {
		return orTheBreak(err, conn, written)
	}
	if err := <-written; err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
		return errors.New("bytes after the last one")
	}
	return nil
}

// orTheBreak gives what the writer was told instead of an end of the stream. The kernel tells a reset once, to whoever asks
// first; who reads after that sees an end.
func orTheBreak(err error, conn net.Conn, written <-chan error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	conn.SetWriteDeadline(time.Now())
	if broken := <-written; broken != nil && !errors.Is(broken, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%v; write: %w", err, broken)
	}
	return err
}

func (j job) write(conn net.Conn) error {
	if _, err := conn.Write(j.header()); err != nil {
		return err
	}
	if err := produce(conn, j.seed, j.up); err != nil {
		return err
	}
	if j.halfClose {
		return conn.(interface{ CloseWrite() error }).CloseWrite()
	}
	return nil
}

func (j job) pause() func() {
	if !j.slowly {
		return nil
	}
	return func() { time.Sleep(time.Millisecond) }
}

func (j job) String() string {
	return fmt.Sprintf("seed %d up %d down %d shape %d vanishes %v slowly %v halfClose %v",
		j.seed, j.up, j.down, j.shape, j.vanishes, j.slowly, j.halfClose)
}

// runAll carries out the jobs, at most width at a time.
func runAll(t testing.TB, jobs []job, width int, dial dialer, to *judge) {
	t.Helper()
	slots, failures := make(chan struct{}, width), make(chan error, len(jobs))
	for _, task := range jobs {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			err := task.run(dial, to)
			if err != nil {
				err = fmt.Errorf("%v: %w", task, err)
			}
			failures <- err
		}()
	}
	failed := 0
	for range jobs {
		if err := <-failures; err != nil {
			if failed++; failed <= 5 {
				t.Error(err)
			}
		}
	}
	if failed > 0 {
		t.Fatalf("%d of %d tunnels went wrong", failed, len(jobs))
	}
}
