package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// series is what the flags of replay ask for when many sessions are played.
type series struct {
	filter   string
	after    string
	limit    int
	parallel int
	rate     rate
	sure     bool // --yes
}

// mostParallel bounds --parallel: each session has a relay of its own.
const mostParallel = 100

// check refuses what is neither one session nor many, and a mass of mail that
// nobody has asked for in so many words.
func (m series) check(args []string, what replayed) error {
	many := m.filter != ""
	var mistakes []error
	switch {
	case many && len(args) > 0:
		mistakes = append(mistakes, fmt.Errorf("%q and --filter: one session or many, not both; leave one of them out", args[0]))
	case !many && len(args) == 0:
		mistakes = append(mistakes, errors.New("replay needs the id of a session (latest, latest-failed, or as sessions lists it), a file, or --filter"))
	}
	if m.limit < 0 {
		mistakes = append(mistakes, fmt.Errorf("--limit %d is negative: 0 plays all", m.limit))
	}
	if m.parallel < 1 || m.parallel > mostParallel {
		mistakes = append(mistakes, fmt.Errorf("--parallel %d: choose from 1 to %d", m.parallel, mostParallel))
	}
	if many && what.delivers() && m.limit == 0 && !m.sure {
		mistakes = append(mistakes, errors.New("the messages of all sessions that match would be delivered: bound them with --limit N, or say --yes (try it without --to and --deliver first)"))
	}
	return errors.Join(mistakes...)
}

// sequence is many sessions being played.
type sequence struct {
	*replayer
	store    *store.Store
	chosen   *selection
	progress *progress
	trial    trial

	mu    sync.Mutex
	tally tally
	last  string // the latest session that was handed out; feed's
}

// replayMany plays all sessions that a filter selects.
func (p *program) replayMany(ctx context.Context, r *repetition) error {
	f, err := p.filter([]string{r.many.filter})
	if err != nil {
		return err
	}
	s, err := p.readRecord()
	if err != nil {
		return err
	}
	defer s.Close()
	chosen, err := p.choose(ctx, s, f, r.many)
	if err != nil {
		return err
	}
	defer chosen.close()
	if chosen.remaining() == 0 {
		p.nothingChosen(r.many, chosen.repeated)
	}
	x, err := p.newReplayer(r)
	if err != nil {
		return err
	}
	defer x.close()
	q := &sequence{replayer: x, store: s, chosen: chosen, progress: p.newProgress(chosen.remaining())}
	return q.run(ctx)
}

// nothingChosen says why nothing is played: in a script that would pass for
// success.
func (p *program) nothingChosen(m series, repeated int) {
	switch {
	case repeated > 0:
		fmt.Fprintf(p.stderr, "smtp-proxy: all that match %s repeat others: name one by its id to play it\n", visible(m.filter))
	case m.after != "":
		fmt.Fprintf(p.stderr, "smtp-proxy: no session behind %s matches %s\n", visible(m.after), visible(m.filter))
	default:
		fmt.Fprintf(p.stderr, "smtp-proxy: no recorded session matches %s: smtp-proxy sessions lists them; name another record with --data DIR\n", visible(m.filter))
	}
}

// choose settles which sessions are played.
func (p *program) choose(ctx context.Context, s *store.Store, f inspect.Filter, m series) (*selection, error) {
	var after *inspect.Session
	if m.after != "" {
		var err error
		if after, err = s.Session(ctx, m.after); err != nil {
			return nil, fmt.Errorf("--after: %w", lookupError(m.after, err))
		}
	}
	chosen, err := choose(ctx, s, f, after)
	if err == nil && m.limit > 0 {
		chosen.bound(m.limit)
	}
	return chosen, err
}

// inFlight is what sessions may take to end when the series is interrupted.
const inFlight = 10 * time.Second

// run plays them until there are no more or ctx ends; those under way then may
// finish within bounds.
func (q *sequence) run(ctx context.Context) error {
	playing, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(inFlight, cut) })()
	begun := make(chan *prepared)
	var workers sync.WaitGroup
	for range min(q.r.many.parallel, max(1, q.chosen.remaining())) {
		workers.Go(func() { q.work(playing, begun) })
	}
	err := q.feed(ctx, begun)
	close(begun)
	workers.Wait()
	q.progress.end()
	q.advise()
	return errors.Join(err, q.summarize(ctx), q.tally.code(ctx).orNil())
}

// feed hands the sessions out, oldest first and no faster than they may begin.
// What has been handed out is played, whatever happens: so all before the last
// one have been dealt with.
func (q *sequence) feed(ctx context.Context, begun chan<- *prepared) error {
	for ctx.Err() == nil {
		id, err := q.chosen.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		ready, err := q.load(ctx, id)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			q.last = id
			q.took(id, nil, err)
			continue
		}
		if q.pace.wait(ctx, ready.place.beyond()) != nil {
			return nil
		}
		select {
		case begun <- ready:
			q.last = id
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// load reads a session from the record and makes it ready.
func (q *sequence) load(ctx context.Context, id string) (*prepared, error) {
	v, err := q.store.Session(ctx, id)
	if err != nil {
		return nil, lookupError(id, err)
	}
	return q.prepare(&recorded{
		session: v,
		body:    func(ctx context.Context, n int) (io.ReadCloser, error) { return q.store.Body(ctx, id, n) },
	})
}

// work plays sessions one after the other.
func (q *sequence) work(playing context.Context, begun <-chan *prepared) {
	for ready := range begun {
		seen, err := q.try(playing, ready)
		if seen != nil {
			err = q.keep(playing, seen)
		}
		q.took(ready.session.ID, seen, err)
	}
}

// took counts a session that was played, or could not be, and prints it where
// there is something to say.
func (q *sequence) took(id string, seen *played, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tally.add(id, seen, err)
	if seen != nil {
		q.tally.printing(q.tell(id, seen))
	}
	q.progress.draw(&q.tally)
}

// tell prints one session: as an object, or as a line where it is not identical.
func (q *sequence) tell(id string, seen *played) error {
	if !q.r.asJSON && seen.identical() {
		return nil
	}
	q.progress.clear()
	if q.r.asJSON {
		return jsonLines(q.stdout).Encode(seen.object())
	}
	_, err := fmt.Fprintf(q.stdout, "! %s  %s%s\n", visible(id), visible(oneLine(seen.verdict())), keptAs(seen))
	return err
}

func keptAs(s *played) string {
	if !s.kept {
		return ""
	}
	return "  (" + s.now.ID + ")"
}
