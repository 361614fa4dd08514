package replay

// pair is a turn of the one session and its counterpart in the other; -1
// is none.
type pair struct{ a, b int }

// mostAligned bounds the work of aligning two sessions: the product of how many
// commands of each lie between their common beginning and end.
const mostAligned = 1 << 20

// align finds for the commands of two sessions their counterparts: the longest
// common subsequence of verbs, in which commands of one meaning count for more
// than those of one verb.
func align(a, b []turn) (pairs []pair) {
	start := 0
	for start < len(a) && start < len(b) && a[start].same == b[start].same {
		pairs = append(pairs, pair{start, start})
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end].same == b[len(b)-1-end].same {
		end++
	}
	middle := alignMiddle(a[start:len(a)-end], b[start:len(b)-end])
	for _, p := range middle {
		pairs = append(pairs, pair{shifted(p.a, start), shifted(p.b, start)})
	}
	for i := end; i > 0; i-- {
		pairs = append(pairs, pair{len(a) - i, len(b) - i})
	}
	return pairs
}

func shifted(i, by int) int {
	if i < 0 {
		return i
	}
	return i + by
}

func alignMiddle(a, b []turn) []pair {
	if len(a) == 0 || len(b) == 0 || len(a) > mostAligned/len(b) {
		return inStep(a, b)
	}
	return retrace(a, b, scores(a, b))
}

// inStep pairs commands of one verb that stand at the same place.
func inStep(a, b []turn) (pairs []pair) {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			pairs = append(pairs, pair{-1, i})
		case i >= len(b):
			pairs = append(pairs, pair{i, -1})
		case a[i].verb == b[i].verb:
			pairs = append(pairs, pair{i, i})
		default:
			pairs = append(pairs, pair{i, -1}, pair{-1, i})
		}
	}
	return pairs
}

// likeness is what it is worth to make counterparts of two commands.
func likeness(x, y *turn) int32 {
	switch {
	case x.verb != y.verb:
		return 0
	case x.same != y.same:
		return 2
	}
	return 3
}

// scores are the best sums of likeness of what begins at each place.
func scores(a, b []turn) [][]int32 {
	best := make([][]int32, len(a)+1)
	for i := range best {
		best[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if worth := likeness(&a[i], &b[j]); worth > 0 {
				best[i][j] = max(best[i][j], worth+best[i+1][j+1])
			}
		}
	}
	return best
}

// retrace walks the best way through the scores.
func retrace(a, b []turn, best [][]int32) (pairs []pair) {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		worth := likeness(&a[i], &b[j])
		switch {
		case worth > 0 && best[i][j] == worth+best[i+1][j+1]:
			pairs = append(pairs, pair{i, j})
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			pairs = append(pairs, pair{i, -1})
			i++
		default:
			pairs = append(pairs, pair{-1, j})
			j++
		}
	}
	for ; i < len(a); i++ {
		pairs = append(pairs, pair{i, -1})
	}
	for ; j < len(b); j++ {
		pairs = append(pairs, pair{-1, j})
	}
	return pairs
}
