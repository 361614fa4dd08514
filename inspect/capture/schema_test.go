package capture_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/capture"
)

// TestSchema writes a session in which nothing is empty, and wants the schema
// to describe each member that is there, and no others.
func TestSchema(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal([]byte(capture.Schema()), &root); err != nil {
		t.Fatal(err)
	}
	defs := root["$defs"].(map[string]any)
	s := new(inspect.Session)
	filled(reflect.ValueOf(s).Elem())
	s.ID, s.Started, s.Ended = id, now.Add(123456), now.Add(812345678)
	s.Events[0].Text = "\xff"
	lines := bufio.NewScanner(strings.NewReader(written(t, s, bodies{0: "x"}.open)))
	for _, kind := range []string{"session", "body", "end"} {
		lines.Scan()
		var value any
		if err := json.Unmarshal(lines.Bytes(), &value); err != nil {
			t.Fatal(err)
		}
		against(t, kind, value, defs, defs[kind].(map[string]any))
	}
}

// against compares a value with what a schema says of it.
func against(t *testing.T, at string, value any, defs, schema map[string]any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if choice, ok := schema["anyOf"].([]any); ok { // of the thing and null
		against(t, at, value, defs, choice[0].(map[string]any))
		return
	}
	if want := schema["type"]; kindOf(value) != want && !(want == "integer" && kindOf(value) == "number") {
		t.Errorf("%s: got %s, and the schema has %v", at, kindOf(value), want)
		return
	}
	switch value := value.(type) {
	case map[string]any:
		members(t, at, value, defs, schema)
	case []any:
		if len(value) == 0 {
			t.Errorf("%s: got nothing in it, want something to be compared", at)
		}
		for _, one := range value {
			against(t, at+"/0", one, defs, schema["items"].(map[string]any))
		}
	}
}

func members(t *testing.T, at string, value, defs, schema map[string]any) {
	t.Helper()
	properties, ok := schema["properties"].(map[string]any)
	if !ok { // names that are not known before
		for name, one := range value {
			against(t, at+"/"+name, one, defs, schema["additionalProperties"].(map[string]any))
		}
		return
	}
	got, want := slices.Sorted(maps.Keys(value)), slices.Sorted(maps.Keys(properties))
	if !slices.Equal(got, want) {
		t.Errorf("%s: got the members %q, and the schema has %q", at, got, want)
		return
	}
	for name, one := range value {
		against(t, at+"/"+name, one, defs, properties[name].(map[string]any))
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	}
	return fmt.Sprintf("%T", v)
}

// filled gives each part of a value something.
func filled(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(now))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				filled(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		filled(v.Index(0))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(1)
	default:
		panic("a kind of value that nothing is known of: " + v.Kind().String())
	}
}
