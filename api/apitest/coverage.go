package apitest

import (
	"maps"
	"slices"
	"sync"
)

// seen keeps, for the whole test process, which operations answered with which statuses.
var seen = struct {
	sync.Mutex
	statuses map[string]map[int]bool
}{statuses: map[string]map[int]bool{}}

func saw(operationID string, status int) {
	seen.Lock()
	defer seen.Unlock()
	if seen.statuses[operationID] == nil {
		seen.statuses[operationID] = map[int]bool{}
	}
	seen.statuses[operationID][status] = true
}

// Seen returns the statuses, in rising order, that each operation answered with so far through any
// transport of this process, by operationId.
func Seen() map[string][]int {
	seen.Lock()
	defer seen.Unlock()
	all := make(map[string][]int, len(seen.statuses))
	for id, statuses := range seen.statuses {
		all[id] = slices.Sorted(maps.Keys(statuses))
	}
	return all
}

// Unseen returns the operationIds, sorted, that no transport of this process saw answered with a status
// below 400: a test can demand after all others that there are none.
func Unseen() []string {
	succeeded := map[string]bool{}
	for id, statuses := range Seen() {
		succeeded[id] = statuses[0] < 400
	}
	var missing []string
	for _, p := range load().paths {
		for _, operation := range p.item.Operations() {
			if !succeeded[operation.OperationID] {
				missing = append(missing, operation.OperationID)
			}
		}
	}
	slices.Sort(missing)
	return missing
}
