package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// watch measures the processes of a contender from outside, through /proc.
type watch map[string]int // role to process id

// String and Set make a flag of it: server=123,agent=456.
func (w watch) String() string { return fmt.Sprint(map[string]int(w)) }

func (w watch) Set(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		role, pid, _ := strings.Cut(item, "=")
		number, err := strconv.Atoi(pid)
		if err != nil {
			return fmt.Errorf("%q is not role=pid", item)
		}
		w[role] = number
	}
	return nil
}

// usage is what each process spent in an interval.
type usage struct {
	CPU  map[string]float64 `json:"cpu_s"`   // seconds of processor time
	Peak map[string]int     `json:"peak_kb"` // most resident memory during the interval
}

// begin starts an interval: peaks count from here. The returned function ends it.
func (w watch) begin() func() usage {
	before := map[string]float64{}
	for role, pid := range w {
		os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) // resets VmHWM
		before[role] = cpuSeconds(pid)
	}
	own := cpuSeconds(os.Getpid())
	return func() usage {
		spent := usage{CPU: map[string]float64{"load": cpuSeconds(os.Getpid()) - own}, Peak: map[string]int{}}
		for role, pid := range w {
			spent.CPU[role] = cpuSeconds(pid) - before[role]
			spent.Peak[role] = statusField(pid, "VmHWM:")
		}
		return spent
	}
}

const ticksPerSecond = 100 // USER_HZ, the same on every Linux

func cpuSeconds(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything; fields 14 and 15 are counted from behind it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticksPerSecond
}

func statusField(pid int, name string) int {
	return procField(fmt.Sprintf("/proc/%d/status", pid), name)
}

// pssKB is the memory that a process has for itself, with its share of what it shares.
func pssKB(pid int) int { return procField(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:") }

func procField(path, name string) int {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			value, _ := strconv.Atoi(fields[1])
			return value
		}
	}
	return 0
}

func (w watch) pss() map[string]int {
	memory := map[string]int{}
	for role, pid := range w {
		memory[role] = pssKB(pid)
	}
	return memory
}

// settledPSS waits until no process's memory changes by more than 1 % for a second, at most for limit.
func (w watch) settledPSS(limit time.Duration) map[string]int {
	deadline := time.Now().Add(limit)
	last, since := w.pss(), time.Now()
	for time.Now().Before(deadline) && time.Since(since) < time.Second {
		time.Sleep(100 * time.Millisecond)
		if now := w.pss(); !near(now, last) {
			last, since = now, time.Now()
		}
	}
	return w.pss()
}

func near(a, b map[string]int) bool {
	for role := range a {
		if difference := a[role] - b[role]; difference*100 > b[role] || -difference*100 > b[role] {
			return false
		}
	}
	return true
}
