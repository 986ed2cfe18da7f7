# Sourced by the scripts: `find_java` prints the folder of a JDK 25 or later, or says what to install.

is_java_25() {
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -f "$1/release" ] &&
        grep -Eq '^JAVA_VERSION="(2[5-9]|[3-9][0-9])' "$1/release"
}

find_java() {
    local candidate
    for candidate in "${KANCIL_JAVA_HOME:-}" "${JAVA_HOME:-}"; do
        if [ -n "$candidate" ] && is_java_25 "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    if [ -n "${KANCIL_JAVA_HOME:-}" ]; then
        echo "kancil: KANCIL_JAVA_HOME is $KANCIL_JAVA_HOME, where there is no JDK 25" >&2
        return 1
    fi
    candidate=$(command -v java || true)
    if [ -n "$candidate" ]; then
        candidate=$(readlink -f "$candidate" 2>/dev/null || echo "$candidate")
        candidate=${candidate%/bin/java}
        if is_java_25 "$candidate"; then
            echo "$candidate"
            return
        fi
    fi
    if [ -x /usr/libexec/java_home ]; then
        candidate=$(/usr/libexec/java_home -v 25+ 2>/dev/null || true)
        if [ -n "$candidate" ] && is_java_25 "$candidate"; then
            echo "$candidate"
            return
        fi
    fi
    for candidate in \
        /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /usr/local/openjdk* /opt/java/* /opt/*jdk* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home \
        "${HOME:-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
        /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
        "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/* "${HOME:-}"/.asdf/installs/java/* \
        "${HOME:-}"/.local/share/mise/installs/java/*; do
        if is_java_25 "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "kancil: needs a JDK 25, and there is none; install one (Eclipse Temurin, Debian's openjdk-25-jdk, brew install openjdk) or set KANCIL_JAVA_HOME" >&2
    return 1
}
