package store

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// A time is counted in microseconds: below 16 each by itself, and from there on
// eight to an octave, so that a bucket is an eighth of its least time wide at
// most.
const (
	exactBuckets = 16
	perOctave    = 8
	waitBuckets  = 240 // up to an hour and more; what takes longer is in the last
)

// histogram is how often which times were taken.
type histogram [waitBuckets]uint32

// histograms are those of all verbs.
type histograms [verbs]histogram

func bucketOf(took time.Duration) int {
	micros := uint64(max(took, 0) / time.Microsecond)
	if micros < exactBuckets {
		return int(micros)
	}
	octave := bits.Len64(micros) - 4
	return min(octave*perOctave+int(micros>>octave), waitBuckets-1)
}

// bucketStart is the least time in a bucket.
func bucketStart(i int) time.Duration {
	if i < exactBuckets {
		return time.Duration(i) * time.Microsecond
	}
	return time.Duration(i%perOctave+perOctave) << (i/perOctave - 1) * time.Microsecond
}

func (h *histograms) add(verb int, took time.Duration) { h[verb][bucketOf(took)]++ }

func (h *histograms) merge(other *histograms) {
	for verb := range h {
		for i, n := range other[verb] {
			h[verb][i] += n
		}
	}
}

func (h *histogram) count() (n int) {
	for _, in := range h {
		n += int(in)
	}
	return n
}

// percentile returns the time that a share of the counted ones, 0 to 1, did not
// exceed: the middle of the bucket in which that one is.
func (h *histogram) percentile(share float64) time.Duration {
	left := int(math.Ceil(share*float64(h.count()))) - 1
	for i, n := range h {
		if left -= int(n); left < 0 {
			return (bucketStart(i) + bucketStart(i+1)) / 2
		}
	}
	return 0
}

// append writes what has been counted: for each verb its number, how many
// buckets of it there are, and each as the distance from the last and its
// count.
func (h *histograms) append(b []byte) []byte {
	for verb := range h {
		full := 0
		for _, n := range h[verb] {
			if n > 0 {
				full++
			}
		}
		if full == 0 {
			continue
		}
		b = binary.AppendUvarint(append(b, byte(verb)), uint64(full))
		last := 0
		for i, n := range h[verb] {
			if n > 0 {
				b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(i-last)), uint64(n))
				last = i
			}
		}
	}
	return b
}

// read adds what append has written.
func (h *histograms) read(b []byte) error {
	for in := (coder{b: b}); len(in.b) > 0; {
		verb, full := int(in.byte()), in.uint()
		if verb >= verbs {
			return errCoding
		}
		for i := uint64(0); full > 0 && in.err == nil; full-- {
			i += in.uint()
			n := in.uint()
			if i >= waitBuckets {
				return errCoding
			}
			h[verb][i] += uint32(n)
		}
		if in.err != nil {
			return in.err
		}
	}
	return nil
}
