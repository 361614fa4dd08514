package probe

import (
	"maps"
	"slices"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
)

// The bounds of what is remembered. An answer that the network may have given
// instead of the smarthost is forgotten soon.
const (
	maxGrids    = 64
	maxCells    = 256 // of one smarthost
	maxShown    = 32  // of one smarthost
	keepTrouble = time.Minute
)

// grid is what is known of one smarthost: for each offer that was made, what
// came of it, and for each name that was asked for, the certificate shown. It
// is filled as predictions need it. A question asks through the gate, so
// nobody else uses the grid meanwhile.
type grid struct {
	cells map[offerKey]reading
	certs map[identity]shown
	used  time.Time
}

// grids are the grids of all smarthosts, the least lately used dropped first.
type grids struct {
	mu  sync.Mutex
	all map[string]*grid
}

func newGrids() *grids { return &grids{all: map[string]*grid{}} }

func (g *grids) of(target string, now time.Time) *grid {
	g.mu.Lock()
	defer g.mu.Unlock()
	mine := g.all[target]
	if mine == nil {
		if len(g.all) >= maxGrids {
			delete(g.all, slices.MinFunc(slices.Collect(maps.Keys(g.all)), func(a, b string) int {
				return g.all[a].used.Compare(g.all[b].used)
			}))
		}
		mine = &grid{cells: map[offerKey]reading{}, certs: map[identity]shown{}}
		g.all[target] = mine
	}
	mine.used = now
	return mine
}

// shown recalls what was shown for a name.
func (g *grid) shown(id identity, o Options) (shown, bool) {
	s, ok := g.certs[id]
	return s, ok && fresh(s.at, s.fault, o)
}

func (g *grid) keepShown(id identity, s shown) {
	makeRoom(g.certs, maxShown)
	g.certs[id] = s
}

// cell recalls what came of an offer.
func (g *grid) cell(key offerKey, o Options) (reading, bool) {
	r, ok := g.cells[key]
	return r, ok && fresh(r.at, r.fault, o)
}

func (g *grid) keepCell(key offerKey, r reading) {
	makeRoom(g.cells, maxCells)
	g.cells[key] = r
}

func makeRoom[K comparable, V any](m map[K]V, most int) {
	for k := range m {
		if len(m) < most {
			return
		}
		delete(m, k)
	}
}

// fresh reports whether an answer is still good.
func fresh(at time.Time, fault *session.Fault, o Options) bool {
	keep := o.Keep
	if fault != nil && fault.Class != session.FaultAlert {
		keep = min(keep, keepTrouble)
	}
	return o.Now().Sub(at) < keep
}
