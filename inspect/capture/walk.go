package capture

import (
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"smtp-proxy/inspect"
)

// place is where a value stands in a session's object. It becomes a text only
// where one is needed: a session has millions of them.
type place struct {
	in    *place
	name  string
	index int // in a list, when there is no name
}

// String is the JSON pointer.
func (p *place) String() string {
	switch {
	case p.in == nil:
		return ""
	case p.name == "":
		return p.in.String() + "/" + strconv.Itoa(p.index)
	}
	return p.in.String() + "/" + p.name
}

// walker visits the values of a session that have no parts: strings, numbers,
// times, octets.
type walker struct {
	visit  func(*place, reflect.Value)
	fields map[reflect.Type][]field // as they were found
}

type field struct {
	index int
	name  string // empty for one that is embedded
}

func walk(s *inspect.Session, visit func(*place, reflect.Value)) {
	w := walker{visit, map[reflect.Type][]field{}}
	w.value(reflect.ValueOf(s), &place{})
}

func (w *walker) value(v reflect.Value, at *place) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			w.value(v.Elem(), at)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			w.visit(at, v)
			return
		}
		w.structure(v, at)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			w.visit(at, v)
			return
		}
		for i := range v.Len() {
			w.value(v.Index(i), &place{in: at, index: i})
		}
	default:
		w.visit(at, v)
	}
}

func (w *walker) structure(v reflect.Value, at *place) {
	list, known := w.fields[v.Type()]
	if !known {
		list = fieldsOf(v.Type())
		w.fields[v.Type()] = list
	}
	for _, f := range list {
		if f.name == "" {
			w.value(v.Field(f.index), at)
			continue
		}
		w.value(v.Field(f.index), &place{in: at, name: f.name})
	}
}

// fieldsOf names the fields of a type as they stand in JSON.
func fieldsOf(t reflect.Type) (list []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() || name == "-":
		case f.Anonymous:
			list = append(list, field{index: i})
		case name == "":
			list = append(list, field{i, strings.ToLower(f.Name)})
		default:
			list = append(list, field{i, name})
		}
	}
	return list
}

// octetsOf finds the texts that JSON cannot hold.
func octetsOf(s *inspect.Session) map[string][]byte {
	var found map[string][]byte
	walk(s, func(at *place, v reflect.Value) {
		if v.Kind() != reflect.String || utf8.ValidString(v.String()) {
			return
		}
		if found == nil {
			found = map[string][]byte{}
		}
		found[at.String()] = []byte(v.String())
	})
	return found
}

// restore puts octets back in their places, where they are what JSON made the
// text of that stands there.
func restore(s *inspect.Session, octets map[string][]byte) {
	walk(s, func(at *place, v reflect.Value) {
		if v.Kind() != reflect.String || !strings.ContainsRune(v.String(), utf8.RuneError) {
			return
		}
		if raw, ok := octets[at.String()]; ok && string([]rune(string(raw))) == v.String() {
			v.SetString(string(raw))
		}
	})
}
