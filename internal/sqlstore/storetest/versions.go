package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"caesar/internal/backup"
	"caesar/internal/user"
)

var versions = []test{
	{"a version is read as it was stored", aVersionIsReadAsItWasStored},
	{"the newest version is the one of the highest id", theNewestVersionHasTheHighestID},
	{"the oldest versions give way", theOldestVersionsGiveWay},
	{"a lower number of versions frees all that is beyond it", aLowerNumberFreesMore},
	{"the quota counts the versions that stay", theQuotaCountsWhatStays},
	{"many versions at once keep to number and quota", manyVersionsAtOnce},
	{"a version is deleted once", aVersionIsDeletedOnce},
	{"ids of versions are never given twice", idsOfVersionsRise},
	{"a user's versions are nobody else's", versionsAreTheOwnersAlone},
	{"versions are erased piece by piece", versionsAreErasedPieceByPiece},
	{"nobody gets a version who is gone", nobodyGetsAVersionWhoIsGone},
	{"no version outlives the session it came in", noVersionOutlivesItsSession},
	{"what stays beside a new version is measured", whatStaysIsMeasured},
	{"a blob has one row at most", aBlobHasOneRowAtMost},
	{"a backup key is remembered until one follows that opens it", aBackupKeyIsRemembered},
}

// roomy keeps whatever a test stores.
var roomy = backup.Retention{Keep: 1000, Quota: 1 << 40}

// sealVersion is a backup.Store's seal for a file of a size. Each version gets another MAC.
func sealVersion(userID int64, name string, size int64) func(id int64) backup.Version {
	return func(id int64) backup.Version {
		mac := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", userID, id, name))
		return backup.Version{
			ID: id, UserID: userID, Name: name, Size: size, SHA256: sha256.Sum256([]byte(name)), CreatedAt: noon,
			Blob: "blob of " + name, HeaderSize: 184, HeaderHash: sha256.Sum256([]byte("header of " + name)), MAC: mac[:],
		}
	}
}

// version stores a version in a session of its own, and returns it and the blobs it freed.
func (f *fixture) version(userID int64, name string, size int64, keep backup.Retention) (backup.Version, string) {
	f.Helper()
	who, _ := f.login(userID)
	v, freed, err := f.AddVersion(f.Context(), userID, who.SessionID, keep, sealVersion(userID, name, size))
	f.must(err)
	return v, strings.Join(freed, ", ")
}

// versionNames are those of a user's versions, newest first.
func (f *fixture) versionNames(userID int64) string {
	f.Helper()
	all, err := f.Versions(f.Context(), userID)
	f.must(err)
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = v.Name
	}
	return strings.Join(names, " ")
}

// named says whether a row names a blob.
func (f *fixture) named(blob string) bool {
	f.Helper()
	yes, err := f.NamesBlob(f.Context(), blob)
	f.must(err)
	return yes
}

func aVersionIsReadAsItWasStored(f *fixture) {
	id := f.person("marcus")
	stored, freed := f.version(id, "备份 \"1\" 🗝️.zip", 1<<40, backup.Retention{Keep: 10, Quota: 1 << 50})
	equal(f, "freed", freed, "")
	want := fmt.Sprintf("%+v", sealVersion(id, stored.Name, 1<<40)(stored.ID))
	equal(f, "stored", fmt.Sprintf("%+v", stored), want)
	for _, asked := range []int64{stored.ID, 0} {
		v, err := f.Version(f.Context(), id, asked)
		f.must(err)
		equal(f, "version", fmt.Sprintf("%+v", v), want)
	}
	all, err := f.Versions(f.Context(), id)
	f.must(err)
	equal(f, "versions", fmt.Sprintf("%+v", all), "["+want+"]")
	equal(f, "blob is named", f.named(stored.Blob), true)
	equal(f, "another blob is named", f.named("blob"), false)
}

func theNewestVersionHasTheHighestID(f *fixture) {
	id := f.person("marcus")
	_, err := f.Version(f.Context(), id, 0)
	f.wants(backup.ErrNoVersion, err)
	for _, name := range []string{"a", "b", "c"} {
		f.version(id, name, 1, roomy)
		v, err := f.Version(f.Context(), id, 0)
		f.must(err)
		equal(f, "newest", v.Name, name)
	}
	equal(f, "versions", f.versionNames(id), "c b a")
}

func theOldestVersionsGiveWay(f *fixture) {
	id, other := f.person("marcus"), f.person("lucius")
	f.version(other, "other's", 1, roomy)
	keep := backup.Retention{Keep: 2, Quota: 100}
	for i, name := range []string{"a", "b", "c", "d"} {
		_, freed := f.version(id, name, 1, keep)
		equal(f, "freed", freed, []string{"", "", "blob of a", "blob of b"}[i])
	}
	equal(f, "versions", f.versionNames(id), "d c")
	equal(f, "versions of another", f.versionNames(other), "other's")
	equal(f, "blob of a is named", f.named("blob of a"), false)
	_, freed := f.version(id, "e", 100, backup.Retention{Keep: 1, Quota: 100})
	equal(f, "freed", freed, "blob of c, blob of d")
	equal(f, "versions", f.versionNames(id), "e")
}

func aLowerNumberFreesMore(f *fixture) {
	id := f.person("marcus")
	for i := range 5 {
		f.version(id, strconv.Itoa(i), 1, roomy)
	}
	_, freed := f.version(id, "5", 1, backup.Retention{Keep: 2, Quota: 2})
	equal(f, "freed", freed, "blob of 0, blob of 1, blob of 2, blob of 3")
	equal(f, "versions", f.versionNames(id), "5 4")
}

func theQuotaCountsWhatStays(f *fixture) {
	id := f.person("marcus")
	keep := backup.Retention{Keep: 2, Quota: 100}
	f.version(id, "a", 60, keep)
	who, _ := f.login(id)
	refused := func(size int64) {
		_, _, err := f.AddVersion(f.Context(), id, who.SessionID, keep, sealVersion(id, "refused", size))
		f.wants(backup.ErrOverQuota, err)
	}
	refused(41)
	f.version(id, "b", 40, keep)
	refused(61) // beside b, which stays
	equal(f, "versions", f.versionNames(id), "b a")
	equal(f, "blob of a refused one is named", f.named("blob of refused"), false)
	f.version(id, "c", 60, keep)
	equal(f, "versions", f.versionNames(id), "c b")
	refused(1 << 62)
	f.version(id, "empty", 0, keep)
}

func manyVersionsAtOnce(f *fixture) {
	id := f.person("marcus")
	who, _ := f.login(id)
	keep := backup.Retention{Keep: 10, Quota: 95}
	var mu sync.Mutex
	freed := map[string]int{}
	kept := f.atOnce(many, func(i int) (bool, error) {
		_, blobs, err := f.AddVersion(f.Context(), id, who.SessionID, keep, sealVersion(id, strconv.Itoa(i), 10))
		mu.Lock()
		defer mu.Unlock()
		for _, blob := range blobs {
			freed[blob]++
		}
		if errors.Is(err, backup.ErrOverQuota) {
			return false, nil
		}
		return err == nil, err
	})
	all, err := f.Versions(f.Context(), id)
	f.must(err)
	equal(f, "versions", len(all), 9)
	equal(f, "stored or freed", kept, len(all)+len(freed))
	for blob, times := range freed {
		if times != 1 || f.named(blob) {
			f.Errorf("%s was freed %d times, or is still named", blob, times)
		}
	}
}

func aVersionIsDeletedOnce(f *fixture) {
	id := f.person("marcus")
	v, _ := f.version(id, "a", 1, roomy)
	f.version(id, "b", 1, roomy)
	yes := f.atOnce(many, func(int) (bool, error) {
		freed, err := f.DeleteVersion(f.Context(), id, v.ID)
		if errors.Is(err, backup.ErrNoVersion) {
			return false, nil
		}
		return freed == v.Blob, err
	})
	equal(f, "told the blob", yes, 1)
	equal(f, "versions", f.versionNames(id), "b")
	_, err := f.Version(f.Context(), id, v.ID)
	f.wants(backup.ErrNoVersion, err)
	_, err = f.DeleteVersion(f.Context(), id, 0)
	f.wants(backup.ErrNoVersion, err)
}

func idsOfVersionsRise(f *fixture) {
	id := f.person("marcus")
	var last int64
	for range 3 {
		v, _ := f.version(id, "a", 1, roomy)
		equal(f, "id rises", v.ID > last, true)
		last = v.ID
		_, err := f.DeleteVersion(f.Context(), id, v.ID)
		f.must(err)
	}
}

func versionsAreTheOwnersAlone(f *fixture) {
	owner, stranger := f.person("marcus"), f.person("lucius")
	v, _ := f.version(owner, "a", 1, roomy)
	for _, asked := range []int64{v.ID, 0} {
		_, err := f.Version(f.Context(), stranger, asked)
		f.wants(backup.ErrNoVersion, err)
	}
	_, err := f.DeleteVersion(f.Context(), stranger, v.ID)
	f.wants(backup.ErrNoVersion, err)
	equal(f, "versions of the stranger", f.versionNames(stranger), "")
	freed, err := f.EraseVersions(f.Context(), stranger, 100)
	f.must(err)
	equal(f, "freed", len(freed), 0)
	equal(f, "versions of the owner", f.versionNames(owner), "a")
}

func versionsAreErasedPieceByPiece(f *fixture) {
	id, other := f.person("marcus"), f.person("lucius")
	f.version(other, "other's", 1, roomy)
	for i := range 5 {
		f.version(id, strconv.Itoa(i), 1, roomy)
	}
	for _, want := range []string{"[blob of 0 blob of 1]", "[blob of 2 blob of 3]", "[blob of 4]", "[]"} {
		freed, err := f.EraseVersions(f.Context(), id, 2)
		f.must(err)
		equal(f, "freed", fmt.Sprint(freed), want)
	}
	equal(f, "versions of another", f.versionNames(other), "other's")
}

func nobodyGetsAVersionWhoIsGone(f *fixture) {
	id := f.user(user.Active, "marcus")
	f.version(id, "a", 1, roomy)
	who, _ := f.login(id)
	f.says(true)(f.Erase(f.Context(), id, true, []byte("erased"), noon))
	for _, userID := range []int64{id, 4711} {
		_, _, err := f.AddVersion(f.Context(), userID, who.SessionID, roomy, sealVersion(userID, "b", 1))
		f.wants(backup.ErrNoSession, err)
	}
	equal(f, "blob is named", f.named("blob of b"), false)
	freed, err := f.EraseVersions(f.Context(), id, 100)
	f.must(err)
	equal(f, "freed", fmt.Sprint(freed), "[blob of a]")
}

func noVersionOutlivesItsSession(f *fixture) {
	id, stranger := f.person("marcus"), f.person("lucius")
	f.version(id, "a", 1, backup.Retention{Keep: 1, Quota: 10})
	ended, _ := f.login(id)
	foreign, _ := f.login(stranger)
	f.says(true)(f.EndSession(f.Context(), id, ended.SessionID))
	for _, session := range []int64{ended.SessionID, foreign.SessionID, 0} {
		_, freed, err := f.AddVersion(f.Context(), id, session, backup.Retention{Keep: 1, Quota: 10}, sealVersion(id, "b", 1))
		f.wants(backup.ErrNoSession, err)
		equal(f, "freed", len(freed), 0)
	}
	equal(f, "versions", f.versionNames(id), "a")
	equal(f, "blob is named", f.named("blob of b"), false)
}

func whatStaysIsMeasured(f *fixture) {
	id, other := f.person("marcus"), f.person("lucius")
	f.version(other, "other's", 1000, roomy)
	staying := func(keep int, want int64) {
		f.Helper()
		bytes, err := f.Staying(f.Context(), id, keep)
		f.must(err)
		equal(f, "staying", bytes, want)
	}
	staying(10, 0)
	for i, size := range []int64{1, 20, 300} {
		f.version(id, strconv.Itoa(i), size, roomy)
	}
	for keep, want := range []int64{1: 0, 2: 300, 3: 320, 4: 321, 5: 321} {
		if keep > 0 {
			staying(keep, want)
		}
	}
}

func aBlobHasOneRowAtMost(f *fixture) {
	id, other := f.person("marcus"), f.person("lucius")
	f.version(id, "a", 1, roomy)
	who, _ := f.login(other)
	_, _, err := f.AddVersion(f.Context(), other, who.SessionID, roomy, sealVersion(other, "a", 1))
	if err == nil {
		f.Error("two rows name one blob: the deletion of one would take the other's")
	}
	equal(f, "versions", f.versionNames(other), "")
}

func aBackupKeyIsRemembered(f *fixture) {
	remember := func(current, want string, open ...string) {
		f.Helper()
		stored, err := f.RememberBackupKey(f.Context(), current, func(recipient string) bool {
			return strings.Contains(strings.Join(open, " "), recipient)
		})
		f.must(err)
		equal(f, "stored", stored, want)
	}
	remember("age1first", "age1first", "age1first")
	remember("age1first", "age1first", "age1first")
	remember("age1other", "age1first", "age1other")                 // the first one is lost
	remember("age1second", "age1second", "age1second", "age1first") // it is followed
	remember("age1first", "age1second", "age1first")
}
