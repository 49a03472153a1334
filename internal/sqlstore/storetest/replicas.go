package storetest

import (
	"time"
)

var replicas = []test{
	{"a lease is one caller's until it runs out", aLeaseIsOnesUntilItRunsOut},
	{"of many at once one gets a lease", oneOfManyGetsALease},
	{"leases of two names are two", leasesOfTwoNamesAreTwo},
}

func aLeaseIsOnesUntilItRunsOut(f *fixture) {
	until := noon.Add(time.Minute)
	f.says(true)(f.Lease(f.Context(), "sweep", noon, until))
	f.says(false)(f.Lease(f.Context(), "sweep", noon, until))
	f.says(false)(f.Lease(f.Context(), "sweep", until.Add(-time.Millisecond), until.Add(time.Minute)))
	f.says(true)(f.Lease(f.Context(), "sweep", until, until.Add(time.Minute)))
	f.says(false)(f.Lease(f.Context(), "sweep", until, until.Add(time.Minute)))
}

func oneOfManyGetsALease(f *fixture) {
	for round := range 3 { // the first makes the row, the others change it
		now := noon.Add(time.Duration(round) * time.Hour)
		mine := f.atOnce(many, func(int) (bool, error) {
			return f.Lease(f.Context(), "sweep", now, now.Add(time.Minute))
		})
		equal(f, "callers who got the lease", mine, 1)
	}
}

func leasesOfTwoNamesAreTwo(f *fixture) {
	until := noon.Add(time.Minute)
	f.says(true)(f.Lease(f.Context(), "sweep", noon, until))
	f.says(true)(f.Lease(f.Context(), "blobs", noon, until))
}
