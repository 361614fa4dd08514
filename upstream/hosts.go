package upstream

import (
	"bufio"
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

func systemHostsFile() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("SystemRoot"), `System32\drivers\etc\hosts`)
	}
	return "/etc/hosts"
}

// hosts is what a hosts(5) file says: the addresses of each lower-case name,
// in the order of the file.
type hosts map[string][]netip.Addr

// parseHosts reads a hosts file. Lines it cannot read say nothing, as for
// every other program.
func parseHosts(data []byte) (hosts, error) {
	h := hosts{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		addr, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		for _, name := range fields[1:] {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			h[name] = append(h[name], addr.Unmap())
		}
	}
	return h, lines.Err()
}

// watched is a small file that is read again when it has changed.
type watched[T any] struct {
	path  string
	parse func([]byte) (T, error)

	mu       sync.Mutex
	modified time.Time
	size     int64
	value    T
	err      error
}

// read returns what the file says now. A file that cannot be read or parsed
// yields the zero value and the error.
func (w *watched[T]) read() (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := os.Stat(w.path)
	if err != nil {
		var none T
		w.modified = time.Time{}
		return none, err
	}
	if info.ModTime().Equal(w.modified) && info.Size() == w.size {
		return w.value, w.err
	}
	data, err := os.ReadFile(w.path)
	if err != nil {
		var none T
		return none, err
	}
	w.value, w.err = w.parse(data)
	w.modified, w.size = info.ModTime(), info.Size()
	return w.value, w.err
}
