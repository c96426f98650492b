package io.knack.consolidation.episodes;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;

/** Which solved problems are kept for prompts. */
public record RememberPlan(
    @Default("8")
        @Range(min = 1, max = 64)
        @Doc("episodes of a cluster at most; three of them enter a prompt")
        int perCluster,
    @Default("1200") @Range(min = 1) @Doc("tokens of a cluster's episodes at most")
        long tokensPerCluster,
    @Default("64")
        @Range(min = 1, max = 4096)
        @Doc("candidates of a cluster that are looked at, the shortest solutions first")
        int candidates,
    @Default("0.2") @Range(min = 0, max = 1) @Doc("similarity to the cluster's centroid at least")
        double floor,
    @Default("0.5") @Range(min = 0, max = 1) @Doc("weight of being unlike what is already chosen")
        double diversity,
    @Default("0.2") @Range(min = 0, max = 1) @Doc("weight of being short") double brevity,
    @Default("false") @Doc("let all tenants use what one tenant's problems taught")
        boolean shareAcrossTenants,
    @Default("1") long seed) {}
