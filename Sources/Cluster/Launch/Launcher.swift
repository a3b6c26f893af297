import FoundationEssentials

/// What started this process as one of several, by its environment: `mpirun` or `srun`.
package struct Launcher: Sendable, Equatable {
    /// The kinds of MPI libraries, which differ in their binary interface.
    package enum Library: String, Sendable, CaseIterable {
        case openMPI = "Open MPI"
        case mpich = "MPICH"

        /// The plug-in for it.
        package var file: String {
            switch self {
            case .openMPI: "libescriba-openmpi.so"
            case .mpich: "libescriba-mpich.so"
            }
        }
    }

    /// How many processes it started.
    package let processes: Int
    /// The number of this one.
    package let rank: Int
    /// The libraries that understand it, the likeliest first.
    package let libraries: [Library]

    /// This process's; nil if it was started alone.
    package static var current: Launcher? { Launcher(environment: ProcessInfo.processInfo.environment) }

    /// nil for a process that was started alone, or is to work alone: `ESCRIBA_MPI=none`. The script of a Slurm job is alone, though it knows the job's numbers: only
    /// `srun` makes steps of several tasks.
    package init?(environment: [String: String]) {
        if environment["ESCRIBA_MPI"] == "none" { return nil }
        func number(_ names: String...) -> Int? { names.lazy.compactMap { environment[$0] }.first.flatMap { Int($0) } }
        let isStep = environment["SLURM_STEP_ID"] != nil
        let step = isStep ? number("SLURM_STEP_NUM_TASKS") : nil
        if let processes = number("OMPI_COMM_WORLD_SIZE"), let rank = number("OMPI_COMM_WORLD_RANK") {
            (self.processes, self.rank, libraries) = (processes, rank, [.openMPI])
        } else if environment["PMIX_NAMESPACE"] != nil, let rank = number("PMIX_RANK"), let step {
            (self.processes, self.rank, libraries) = (step, rank, [.openMPI, .mpich])
        } else if let processes = number("PMI_SIZE"), let rank = number("PMI_RANK") {
            (self.processes, self.rank, libraries) = (processes, rank, isStep ? [.mpich, .openMPI] : [.mpich])
        } else if let step, let rank = number("SLURM_PROCID") {
            (processes, self.rank, libraries) = (step, rank, [.openMPI, .mpich])
        } else {
            return nil
        }
        guard processes > 1 else { return nil }
    }
}
