package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// field is a parameter, or a field of a body.
type field struct {
	Name, Type, Description, Default string
	Required, Extension              bool
}

// lineOf returns where something stands in the document.
func lineOf(origin *openapi3.Origin) (int, error) {
	if origin == nil || origin.Key == nil {
		return 0, errors.New("where it stands is not known")
	}
	return origin.Key.Line, nil
}

// namesOf returns the names of an object's properties in the order of the document.
func namesOf(schema *openapi3.Schema) ([]string, error) {
	lines := make(map[string]int, len(schema.Properties))
	for name, property := range schema.Properties {
		origin := property.Value.Origin
		if property.Ref != "" {
			origin = property.Origin
		}
		at, err := lineOf(origin)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", name, err)
		}
		lines[name] = at
	}
	names := slices.Collect(maps.Keys(lines))
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(lines[a], lines[b]) })
	return names, nil
}

// fieldsOf returns the fields of an object, those of an object within it, or of the objects in a list,
// after their own.
func fieldsOf(prefix string, schema *openapi3.Schema) ([]field, error) {
	names, err := namesOf(schema)
	if err != nil {
		return nil, err
	}
	var fields []field
	for _, name := range names {
		property := schema.Properties[name].Value
		fields = append(fields, field{
			Name: prefix + name, Type: typeOf(property), Description: property.Description,
			Required:  slices.Contains(schema.Required, name),
			Extension: property.Extensions["x-extension"] != nil,
		})
		within, inside := property, prefix+name+"."
		if property.Type.Is("array") {
			within, inside = property.Items.Value, prefix+name+"[]."
		}
		inner, err := fieldsOf(inside, within)
		if err != nil {
			return nil, err
		}
		fields = append(fields, inner...)
	}
	return fields, nil
}

// typeOf says in a few words what a value is.
func typeOf(s *openapi3.Schema) string {
	if len(s.OneOf) > 0 {
		var kinds []string
		for _, one := range s.OneOf {
			kinds = append(kinds, typeOf(one.Value))
		}
		return strings.Join(kinds, "; or ")
	}
	name := strings.Join(s.Type.Slice(), " or ")
	switch {
	case s.Type.Is("string") && s.Format == "binary":
		name = "file"
	case s.Type.Is("string"):
		name = "text"
	case s.Type.Is("array"):
		name = "list"
	}
	var bounds []string
	if len(s.Enum) > 0 {
		for _, v := range s.Enum {
			bounds = append(bounds, cmp.Or(fmt.Sprint(v), "empty"))
		}
		return name + ": " + strings.Join(bounds, ", ")
	}
	if s.MaxLength != nil {
		bounds = append(bounds, fmt.Sprintf("at most %d characters", *s.MaxLength))
	}
	if low, high := s.Min, s.Max; low != nil && high != nil && *high < 1e6 {
		bounds = append(bounds, fmt.Sprintf("%g to %g", *low, *high))
	}
	if len(bounds) > 0 {
		return name + ", " + strings.Join(bounds, ", ")
	}
	return name
}

// ordered is an example value whose objects keep the order of their schema.
type ordered struct {
	schema *openapi3.Schema
	value  any
}

// MarshalJSON implements [json.Marshaler].
func (o ordered) MarshalJSON() ([]byte, error) {
	switch value := o.value.(type) {
	case []any:
		list := make([]ordered, len(value))
		for i, v := range value {
			list[i] = ordered{itemsOf(o.schema), v}
		}
		return json.Marshal(list)
	case map[string]any:
		return o.marshalObject(value)
	}
	return marshal(o.value)
}

func (o ordered) marshalObject(object map[string]any) ([]byte, error) {
	names := slices.Sorted(maps.Keys(object))
	properties := propertiesOf(o.schema)
	if properties != nil {
		inOrder, err := namesOf(&openapi3.Schema{Properties: properties})
		if err != nil {
			return nil, err
		}
		slices.SortFunc(names, func(a, b string) int {
			return cmp.Compare(slices.Index(inOrder, a), slices.Index(inOrder, b))
		})
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		var inner *openapi3.Schema
		if property := properties[name]; property != nil {
			inner = property.Value
		} else if o.schema != nil && o.schema.AdditionalProperties.Schema != nil {
			inner = o.schema.AdditionalProperties.Schema.Value
		}
		key, err := marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(ordered{inner, object[name]})
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// propertiesOf returns the properties of an object, or of the first part of one that is put together.
func propertiesOf(s *openapi3.Schema) openapi3.Schemas {
	switch {
	case s == nil:
		return nil
	case len(s.AllOf) > 0:
		return s.AllOf[0].Value.Properties
	}
	return s.Properties
}

func itemsOf(s *openapi3.Schema) *openapi3.Schema {
	if s == nil || s.Items == nil {
		return nil
	}
	return s.Items.Value
}

// marshal is json.Marshal without escapes for HTML: the template escapes what it shows.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func compact(s *openapi3.Schema, example any) (string, error) {
	b, err := marshal(ordered{s, example})
	return string(b), err
}

func indented(s *openapi3.Schema, example any) (string, error) {
	b, err := marshal(ordered{s, example})
	if err != nil {
		return "", fmt.Errorf("write example: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return "", fmt.Errorf("write example: %w", err)
	}
	return out.String(), nil
}
