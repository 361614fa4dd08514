package probe

import (
	"context"
	"net/netip"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// Known is what the steps before have found out, for tests of those behind.
type Known struct {
	Host     string
	Port     int // 0 means 587
	Addrs    []netip.Addr
	Egress   netip.Addr
	MailFor  []string
	Dialogue []session.Entry
}

// TakeStep takes one step, with what those before it would have found out.
func (p *Prober) TakeStep(ctx context.Context, name string, k Known, w Wanted) ([]Line, []session.Entry) {
	if k.Port == 0 {
		k.Port = 587
	}
	x := &examination{prober: p, want: w, step: map[string]*rungs{}, target: upstream.Target{Name: k.Host, Host: k.Host, Port: k.Port}}
	x.known.addrs, x.known.egress, x.known.mailFor, x.known.dialogue = k.Addrs, k.Egress, k.MailFor, k.Dialogue
	for _, s := range (steps{}).all() {
		if s.name == name {
			x.step[name] = &rungs{news: make(chan struct{}, 1)}
			s.run(ctx, x)
		}
	}
	return x.step[name].lines, x.answers
}

// LoadSenders reads the data of providers, and returns each with its selectors
// and the records that it is to be included by.
func LoadSenders(text string) (selectors []string, records map[string][]string, err error) {
	if text == "" {
		text = sendersFile
	}
	data, err := loadSenders(text)
	records = map[string][]string{}
	for _, d := range data.Provider {
		records[d.Name] = d.SPF
	}
	return data.everySelector(nil), records, err
}

// Unquoted undoes the escapes of a record's strings.
func Unquoted(text string) string { return unquoted(text) }
