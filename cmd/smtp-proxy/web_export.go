package main

import (
	"cmp"
	"context"
	"io"

	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
)

// webExporter writes sessions for the page, as export does.
type webExporter struct{ *plant }

// Formats lists those of export.
func (w webExporter) Formats() (list []web.Format) {
	for _, f := range (&export{program: w.aside()}).formats() {
		list = append(list, web.Format{
			Name: f.name, About: f.about, File: f.file, Type: cmp.Or(f.kind, "text/plain; charset=utf-8"),
			Shown: f.kind == "" || f.name == "html", Message: f.each,
		})
	}
	return list
}

// Export writes one session.
func (w webExporter) Export(ctx context.Context, out io.Writer, r web.ExportRequest) error {
	x := &export{program: w.aside(), message: max(1, r.Message), named: r.Message > 0, anonymize: r.Anonymize}
	f, err := x.format(r.Format)
	if err != nil {
		return err
	}
	if x.recorded, err = w.recordedIn(ctx, r.Session); err != nil {
		return err
	}
	if r.Anonymize {
		if x.recorded, err = anonymized(ctx, x.recorded); err != nil {
			return err
		}
	}
	x.argument = x.session.ID
	return f.write(ctx, out)
}

// recordedIn opens a session of the record that the plant writes.
func (x *plant) recordedIn(ctx context.Context, id string) (*recorded, error) {
	if x.store == nil {
		return nil, store.ErrNotFound
	}
	found, err := x.store.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	return &recorded{
		session: found,
		body:    func(ctx context.Context, n int) (io.ReadCloser, error) { return x.store.Body(ctx, found.ID, n) },
		close:   func() error { return nil },
	}, nil
}

// aside is the program for what is done beside the relay on behalf of the
// page: it says nothing on the terminal and reads nothing from it.
func (x *plant) aside() *program {
	p := *x.program
	p.stdin, p.stdout, p.stderr = noInput{}, io.Discard, io.Discard
	return &p
}

type noInput struct{}

func (noInput) Read([]byte) (int, error) { return 0, io.EOF }
